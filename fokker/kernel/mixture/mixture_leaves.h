#pragma once
#include <cstdint>

namespace fokker::kernel {

// The loops of mixture_softmax in low dimension, on raw memory. With m the means, a the anchor and r = x -
// alpha m_a, the logit of component k relative to a's is
//   alpha / variance (m_k - m_a).(r - alpha (m_k - m_a) / 2) + log w_k - log w_a:
// no large number cancels in it, so that it may be computed in float32.

constexpr int64_t leaf_size = 128, most_leaf_dimensions = 16;

/// Components in leaves of leaf_size that lie close together; the last one is filled up with weights of zero.
struct Leaves {
  int64_t dimension, count, stride;  ///< stride: count and more, a multiple of 16
  const double* boxes;               ///< (2, dimension, stride): lowest and highest mean of a leaf
  const double* heaviest;            ///< (stride): largest log weight of a leaf; -inf beyond the last
  const double* means;               ///< (components, dimension)
  const double* log_weights;         ///< (components)
  const int64_t* order;              ///< component of each place of a leaf
};

/// Leaf after leaf, (dimension + 1, leaf_size): the means less the leaf's centre, and log2 of the weights.
template <typename T>
struct LeafColumns {
  const T* values;
  const double* centres;  ///< (count, dimension), or null where all are zero
};

struct LeafQuery {
  const double* x;
  double alpha, variance;
  double cut;    ///< leaves whose logits are further below the largest are left out
  double slack;  ///< what a leaf's bound and the anchor's logit may be off by rounding
};

struct LeafSoftmax {
  int64_t anchor;    ///< the component with the largest logit
  double log_total;  ///< log sum_k exp(logit_k - logit_anchor)
  double* offset;    ///< (dimension): E[m | x] - m_anchor
};

/// The softmax of one query in T = float or double, none of whose squares leaves the range of T; NaN where
/// every weight is zero. `bounds` is working memory of (stride) numbers.
template <typename T>
void softmax_over_leaves(const Leaves& leaves, LeafColumns<T> columns, const LeafQuery& query, double* bounds,
                         LeafSoftmax& result);

/// 2^y for y <= 127 (1023), within 2 units in the last place; y below -120 (-1000) counts as that.
template <typename T>
void powers_of_two(const T* y, int64_t count, T* out);

}  // namespace fokker::kernel
