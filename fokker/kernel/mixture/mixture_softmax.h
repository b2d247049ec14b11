#pragma once
#include <memory>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker::kernel {

// The softmax over the components of a mixture with one covariance that makes its exact denoiser: E[m | x]
// where x given component k is N(alpha m_k, variance I), and p(k) = w_k.

/// Means (k, d) and log weights (k), float64, with means = centre + offsets for matrix products that lose
/// nothing to a common offset.
struct CentredMeans {
  CentredMeans() = default;
  CentredMeans(const Tensor& means, const Tensor& log_weights);
  CentredMeans to(at::Device device) const;
  /// Components [begin, end), with the centre and the norm of all.
  CentredMeans slice(int64_t begin, int64_t end) const;

  Tensor means, log_weights, centre, offsets, half_norms;
  double largest_norm = 0;
};

/// x: (n, d); alpha and variance: (n, 1) or (1, 1). All float64.
struct SoftmaxQueries {
  Tensor x, alpha, variance;
  /// Whether the caller keeps float32. In up to SoftmaxComponents::low_dimension dimensions the result is
  /// then that of a query x + e and means m + e_k which float32 could not tell from these: with u = 2^-24 and
  /// a the anchor, |e| <= c u |x - alpha m_a| and |e_k| <= c u |m_k - m_a|, where c is some d + 8 (where
  /// float32 does not hold the means as they are, add u times the extent of the leaf of m_k). In more
  /// dimensions, relative errors of the weights up to 1e-5 may stay.
  bool single = false;
};

struct MixtureSoftmax {
  Tensor anchor;     ///< (n) int64: a component next to x
  Tensor log_total;  ///< (n): log sum_k exp(logit_k - logit_anchor)
  Tensor offset;     ///< (n, d): E[m | x] - m_anchor
};

/// Components prepared for the CPU's vectors, in copies that are made when they are first needed: in up to
/// low_dimension dimensions the means sorted into leaves, in float32 (half as much memory again) or float64;
/// above it the means less their average in float32 (half as much, and as much again where many components
/// matter to a query at once). Safe to share between threads. Records no gradients.
class SoftmaxComponents {
 public:
  static constexpr int64_t low_dimension = 16;
  static constexpr int64_t most_at_once = 2'000'000;
  explicit SoftmaxComponents(CentredMeans components, int64_t at_once = most_at_once);
  SoftmaxComponents(SoftmaxComponents&&) noexcept;
  ~SoftmaxComponents();

  /// Low dimension: the leaves of components that can matter, judged by their boxes, in float32 or float64 as
  /// the caller keeps, relative to the best component; no (n, k) matrix, and no large number that cancels.
  /// High dimension: a float32 product finds the components that can matter, and gives up those that cannot
  /// as soon as bounds show it; they are summed in float64 as above. Where too many can, float32 sums
  /// where it is accurate enough for the caller, and mixture_softmax_plain elsewhere. More than most_at_once
  /// components are summed in parts.
  MixtureSoftmax operator()(const SoftmaxQueries& queries) const;

 private:
  struct Prepared;
  const Prepared& prepared() const;
  void sum_low(const SoftmaxQueries& queries, MixtureSoftmax& result) const;
  void sum_high(const SoftmaxQueries& queries, MixtureSoftmax& result) const;
  MixtureSoftmax sum_parts(const SoftmaxQueries& queries) const;

  CentredMeans components_;
  int64_t at_once_;
  std::vector<SoftmaxComponents> parts_;  // where there are more than at_once_ in high dimension
  std::unique_ptr<Prepared> prepared_;
};

/// The softmax in tensor operations that record gradients: the definition that the kernels are tested
/// against. Logits are relative to an anchor; where the rounding of their matrix product would show, they are
/// computed again as differences. Works through rows and components in blocks, in 200 MB whatever there are.
MixtureSoftmax mixture_softmax_plain(const CentredMeans& components, const SoftmaxQueries& queries);

/// p(component | x), (n, k), in the same way.
Tensor responsibilities(const CentredMeans& components, const SoftmaxQueries& queries);

/// What the softmax over two disjoint sets of the components says together; -inf is the log weight of an
/// anchor only where its set has no weight at all.
MixtureSoftmax joined(const CentredMeans& components, const SoftmaxQueries& queries,
                      const MixtureSoftmax& first, const MixtureSoftmax& second);

}  // namespace fokker::kernel
