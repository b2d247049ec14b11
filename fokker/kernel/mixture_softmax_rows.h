#pragma once
#include <cstdint>

namespace fokker {

// The loops of mixture_softmax, on raw memory. With m the means, a the anchor, the logit of component k
// relative to a's is slope (m_k - m_a).(x - alpha (m_k + m_a) / 2) + log w_k - log w_a: no large number
// cancels in it.

/// Means as columns, (dimension, stride), and log weights, (stride): stride is a multiple of 16, and what is
/// beyond the last component has weight zero.
struct MixtureColumns {
  const double* means;
  const double* log_weights;
  int64_t dimension, stride;
};

/// One query and the sums that belong to it so far, over components relative to its anchor.
struct SoftmaxSums {
  const double* x;
  double alpha, slope;  ///< slope = alpha / variance
  double* offset;       ///< sum of weight (m_k - m_anchor), (dimension)
  double total = 0;     ///< sum of weight
  int64_t anchor = 0;
};

/// Adds the components of columns [begin, end) to the sums of each query; begin and end are multiples of 16,
/// at most softmax_chunk apart. Moves the anchor to the largest logit.
constexpr int64_t softmax_chunk = 512;
void add_components(const MixtureColumns& mixture, int64_t begin, int64_t end, SoftmaxSums* queries,
                    int64_t count);

/// (m - anchor).(x - alpha (m + anchor) / 2).
double relative_product(const double* x, const double* mean, const double* anchor, double alpha, int64_t d);
/// sum += weight (mean - anchor).
void add_difference(double weight, const double* mean, const double* anchor, int64_t d, double* sum);

/// products -> logits = scale products + log_weights - half_norms norm_scale; answers the index of the
/// largest.
int64_t logits_in_place(float* products, const float* log_weights, const float* half_norms, float scale,
                        float norm_scale, int64_t count);
/// Indices of the logits above the threshold, at most `capacity` of them; answers how many there are, or
/// capacity + 1.
int64_t indices_above(const float* logits, float threshold, int64_t count, int64_t* indices,
                      int64_t capacity);
/// logits -> exp(logits - shift), within 1e-6; answers their sum.
double exponentials_in_place(float* logits, float shift, int64_t count);

}  // namespace fokker
