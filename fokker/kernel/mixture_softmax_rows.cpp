// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/mixture_softmax_rows.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include "fokker/kernel/mixture_softmax_rows.h"

#include <algorithm>
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace fokker {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Floats = hn::ScalableTag<float>;

constexpr double negligible = -50;  // exp(-50) = 2e-22

/// exp(x) = 2^k exp(r), |r| <= log(2)/2, within 2 units in the last place for x in [-600, 700]; below,
/// exp(-600).
template <class V>
HWY_INLINE V exponential(Doubles d, V x) {
  const hn::RebindToUnsigned<Doubles> bits;
  const V magic = hn::Set(d, 0x1.8p52);  // adding it rounds to an integer and leaves that in the low bits
  x = hn::Max(x, hn::Set(d, -600.0));
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.4426950408889634074), magic);
  const V k = hn::Sub(shifted, magic);
  V r = hn::NegMulAdd(k, hn::Set(d, 6.93147180369123816490e-01), x);
  r = hn::NegMulAdd(k, hn::Set(d, 1.90821492927058770002e-10), r);
  V even = hn::Set(d, 1.0 / 479001600), odd = hn::Set(d, 1.0 / 39916800);  // Taylor's series to r^12
  const V square = hn::Mul(r, r);
  constexpr double factorials[] = {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                                   1.0 / 120,     1.0 / 24,     1.0 / 6,     0.5,        1.0};
  for (int i = 0; i < 10; i += 2) {
    even = hn::MulAdd(even, square, hn::Set(d, factorials[i]));
    odd = hn::MulAdd(odd, square, hn::Set(d, factorials[i + 1]));
  }
  const V sum = hn::MulAdd(even, square, hn::MulAdd(odd, r, hn::Set(d, 1.0)));
  return hn::BitCast(d, hn::Add(hn::BitCast(bits, sum), hn::ShiftLeft<52>(hn::BitCast(bits, shifted))));
}

/// Logits of columns [begin, end) relative to the query's anchor; answers the largest.
HWY_INLINE double relative_logits(const MixtureColumns& mixture, int64_t begin, int64_t end,
                                  const SoftmaxSums& query, double* logits) {
  const Doubles d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t count = end - begin;
  for (int64_t j = 0; j < mixture.dimension; ++j) {
    const double* column = mixture.means + j * mixture.stride;
    const auto anchor = hn::Set(d, column[query.anchor]), x = hn::Set(d, query.x[j]);
    const auto half = hn::Set(d, 0.5 * query.alpha);
    for (int64_t k = 0; k < count; k += lanes) {
      const auto mean = hn::LoadU(d, column + begin + k);
      const auto place = hn::NegMulAdd(hn::Add(mean, anchor), half, x);
      const auto product = hn::Mul(hn::Sub(mean, anchor), place);
      hn::Store(j ? hn::Add(hn::Load(d, logits + k), product) : product, d, logits + k);
    }
  }
  const auto slope = hn::Set(d, query.slope), base = hn::Set(d, mixture.log_weights[query.anchor]);
  auto largest = hn::Set(d, -HUGE_VAL);
  for (int64_t k = 0; k < count; k += lanes) {
    const auto weight = hn::Sub(hn::LoadU(d, mixture.log_weights + begin + k), base);
    const auto logit = hn::MulAdd(hn::Load(d, logits + k), slope, weight);
    hn::Store(logit, d, logits + k);
    largest = hn::Max(largest, logit);
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// The same sums relative to another component, whose logit is `logit`.
HWY_INLINE void move_anchor(const MixtureColumns& mixture, int64_t anchor, double logit, SoftmaxSums& query) {
  const double scale = std::exp(-logit);
  query.total *= scale;
  for (int64_t j = 0; j < mixture.dimension; ++j) {
    const double* column = mixture.means + j * mixture.stride;
    query.offset[j] = query.offset[j] * scale + query.total * (column[query.anchor] - column[anchor]);
  }
  query.anchor = anchor;
}

HWY_INLINE void add_weights(const MixtureColumns& mixture, int64_t begin, int64_t end, const double* logits,
                            SoftmaxSums& query) {
  constexpr int64_t most = 16;
  const Doubles d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN double sums[most * hn::MaxLanes(d)];
  for (int64_t j = 0; j < mixture.dimension; ++j) hn::Store(hn::Zero(d), d, sums + j * lanes);
  auto total = hn::Zero(d);
  for (int64_t k = 0; k < end - begin; k += lanes) {
    const auto logit = hn::Load(d, logits + k);
    if (hn::AllTrue(d, hn::Lt(logit, hn::Set(d, negligible)))) continue;
    const auto weight = exponential(d, logit);
    total = hn::Add(total, weight);
    for (int64_t j = 0; j < mixture.dimension; ++j) {
      const double* column = mixture.means + j * mixture.stride;
      const auto difference = hn::Sub(hn::LoadU(d, column + begin + k), hn::Set(d, column[query.anchor]));
      hn::Store(hn::MulAdd(weight, difference, hn::Load(d, sums + j * lanes)), d, sums + j * lanes);
    }
  }
  query.total += hn::GetLane(hn::SumOfLanes(d, total));
  for (int64_t j = 0; j < mixture.dimension; ++j)
    query.offset[j] += hn::GetLane(hn::SumOfLanes(d, hn::Load(d, sums + j * lanes)));
}

void add_components(const MixtureColumns& mixture, int64_t begin, int64_t end, SoftmaxSums* queries,
                    int64_t count) {
  HWY_ALIGN double logits[softmax_chunk];
  for (SoftmaxSums* query = queries; query < queries + count; ++query) {
    double largest = relative_logits(mixture, begin, end, *query, logits);
    // A tie within rounding may name another anchor each time: enough is enough.
    for (int repeat = 0; repeat < 8 && largest > 0; ++repeat) {
      const auto at = std::find(logits, logits + (end - begin), largest) - logits;
      move_anchor(mixture, begin + at, largest, *query);
      largest = relative_logits(mixture, begin, end, *query, logits);
    }
    if (!(largest < negligible)) add_weights(mixture, begin, end, logits, *query);
  }
}

double relative_product(const double* x, const double* mean, const double* anchor, double alpha, int64_t n) {
  const Doubles d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto half = hn::Set(d, 0.5 * alpha);
  auto sum = hn::Zero(d), other = hn::Zero(d);
  const auto term = [&](int64_t j, auto total) HWY_ATTR {
    const auto m = hn::LoadU(d, mean + j), a = hn::LoadU(d, anchor + j);
    return hn::MulAdd(hn::Sub(m, a), hn::NegMulAdd(hn::Add(m, a), half, hn::LoadU(d, x + j)), total);
  };
  int64_t j = 0;
  for (; j + 2 * lanes <= n; j += 2 * lanes) {
    sum = term(j, sum);
    other = term(j + lanes, other);
  }
  double result = hn::GetLane(hn::SumOfLanes(d, hn::Add(sum, other)));
  for (; j < n; ++j) result += (mean[j] - anchor[j]) * (x[j] - 0.5 * alpha * (mean[j] + anchor[j]));
  return result;
}

void add_difference(double weight, const double* mean, const double* anchor, int64_t n, double* sum) {
  const Doubles d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    const auto difference = hn::Sub(hn::LoadU(d, mean + j), hn::LoadU(d, anchor + j));
    hn::StoreU(hn::MulAdd(hn::Set(d, weight), difference, hn::LoadU(d, sum + j)), d, sum + j);
  }
  for (; j < n; ++j) sum[j] += weight * (mean[j] - anchor[j]);
}

int64_t logits_in_place(float* products, const float* log_weights, const float* half_norms, float scale,
                        float norm_scale, int64_t count) {
  const Floats d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto largest = hn::Set(d, -HUGE_VALF);
  int64_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    const auto bias =
        hn::NegMulAdd(hn::LoadU(d, half_norms + k), hn::Set(d, norm_scale), hn::LoadU(d, log_weights + k));
    const auto logit = hn::MulAdd(hn::LoadU(d, products + k), hn::Set(d, scale), bias);
    hn::StoreU(logit, d, products + k);
    largest = hn::Max(largest, logit);
  }
  float top = hn::GetLane(hn::MaxOfLanes(d, largest));
  for (; k < count; ++k) {
    products[k] = scale * products[k] + (log_weights[k] - norm_scale * half_norms[k]);
    top = std::max(top, products[k]);
  }
  const auto at = std::find(products, products + count, top) - products;
  return at == count ? 0 : at;
}

int64_t indices_above(const float* logits, float threshold, int64_t count, int64_t* indices,
                      int64_t capacity) {
  const Floats d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t found = 0;
  for (int64_t k = 0; k < count; k += lanes) {
    const int64_t end = std::min(k + lanes, count);
    if (k + lanes <= count && hn::AllTrue(d, hn::Le(hn::LoadU(d, logits + k), hn::Set(d, threshold))))
      continue;
    for (int64_t i = k; i < end; ++i) {
      if (!(logits[i] > threshold)) continue;
      if (found == capacity) return capacity + 1;
      indices[found++] = i;
    }
  }
  return found;
}

double exponentials_in_place(float* logits, float shift, int64_t count) {
  const Floats d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  double total = 0;
  int64_t k = 0;
  while (k + lanes <= count) {  // a few vectors in float, and on in double
    auto sum = hn::Zero(d);
    for (int64_t i = 0; i < 16 && k + lanes <= count; ++i, k += lanes) {
      const auto weight = hn::Exp(d, hn::Sub(hn::LoadU(d, logits + k), hn::Set(d, shift)));
      hn::StoreU(weight, d, logits + k);
      sum = hn::Add(sum, weight);
    }
    total += hn::GetLane(hn::SumOfLanes(d, sum));
  }
  for (; k < count; ++k) total += logits[k] = std::exp(logits[k] - shift);
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker {

HWY_EXPORT(add_components);
HWY_EXPORT(relative_product);
HWY_EXPORT(add_difference);
HWY_EXPORT(logits_in_place);
HWY_EXPORT(indices_above);
HWY_EXPORT(exponentials_in_place);

void add_components(const MixtureColumns& mixture, int64_t begin, int64_t end, SoftmaxSums* queries,
                    int64_t count) {
  HWY_DYNAMIC_DISPATCH(add_components)(mixture, begin, end, queries, count);
}
double relative_product(const double* x, const double* mean, const double* anchor, double alpha, int64_t d) {
  return HWY_DYNAMIC_DISPATCH(relative_product)(x, mean, anchor, alpha, d);
}
void add_difference(double weight, const double* mean, const double* anchor, int64_t d, double* sum) {
  HWY_DYNAMIC_DISPATCH(add_difference)(weight, mean, anchor, d, sum);
}
int64_t logits_in_place(float* products, const float* log_weights, const float* half_norms, float scale,
                        float norm_scale, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(logits_in_place)(products, log_weights, half_norms, scale, norm_scale, count);
}
int64_t indices_above(const float* logits, float threshold, int64_t count, int64_t* indices,
                      int64_t capacity) {
  return HWY_DYNAMIC_DISPATCH(indices_above)(logits, threshold, count, indices, capacity);
}
double exponentials_in_place(float* logits, float shift, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(exponentials_in_place)(logits, shift, count);
}

}  // namespace fokker
#endif
