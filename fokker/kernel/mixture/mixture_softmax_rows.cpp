// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/mixture/mixture_softmax_rows.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/power_of_two-inl.h"
// clang-format on

#include "fokker/kernel/mixture/mixture_softmax_rows.h"

#include <algorithm>
#include <cmath>
#include <numbers>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Floats = hn::ScalableTag<float>;

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

int64_t place_of_largest(const float* logits, int64_t count) {
  const Floats d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto largest = hn::Set(d, -HUGE_VALF);
  int64_t k = 0;
  for (; k + lanes <= count; k += lanes) largest = hn::Max(largest, hn::LoadU(d, logits + k));
  float best = hn::GetLane(hn::MaxOfLanes(d, largest));
  for (; k < count; ++k) best = std::max(best, logits[k]);
  const int64_t place = std::find(logits, logits + count, best) - logits;
  return place < count ? place : 0;
}

int64_t count_above(const float* logits, float threshold, int64_t count) {
  const Floats d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t above = 0, k = 0;
  for (; k + lanes <= count; k += lanes)
    above += static_cast<int64_t>(hn::CountTrue(d, hn::Gt(hn::LoadU(d, logits + k), hn::Set(d, threshold))));
  for (; k < count; ++k) above += logits[k] > threshold;
  return above;
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
  const auto log2_of_e = hn::Set(d, std::numbers::log2e_v<float>), last = hn::Set(d, shift);
  double total = 0;
  int64_t k = 0;
  while (k + 4 * lanes <= count) {  // a few vectors in float, and on in double
    auto sum = hn::Zero(d);
    for (int64_t i = 0; i < 4 && k + 4 * lanes <= count; ++i, k += 4 * lanes) {
      hn::Vec<Floats> weights[4];
      for (int64_t v = 0; v < 4; ++v)
        weights[v] = hn::Mul(hn::Sub(hn::LoadU(d, logits + k + v * lanes), last), log2_of_e);
      powers_of_two(d, weights);
      for (int64_t v = 0; v < 4; ++v) {
        hn::StoreU(weights[v], d, logits + k + v * lanes);
        sum = hn::Add(sum, weights[v]);
      }
    }
    total += hn::GetLane(hn::SumOfLanes(d, sum));
  }
  for (; k < count; ++k) total += logits[k] = std::exp(logits[k] - shift);
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(relative_product);
HWY_EXPORT(add_difference);
HWY_EXPORT(place_of_largest);
HWY_EXPORT(count_above);
HWY_EXPORT(indices_above);
HWY_EXPORT(exponentials_in_place);

double relative_product(const double* x, const double* mean, const double* anchor, double alpha, int64_t d) {
  return HWY_DYNAMIC_DISPATCH(relative_product)(x, mean, anchor, alpha, d);
}
void add_difference(double weight, const double* mean, const double* anchor, int64_t d, double* sum) {
  HWY_DYNAMIC_DISPATCH(add_difference)(weight, mean, anchor, d, sum);
}
int64_t place_of_largest(const float* logits, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(place_of_largest)(logits, count);
}
int64_t count_above(const float* logits, float threshold, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(count_above)(logits, threshold, count);
}
int64_t indices_above(const float* logits, float threshold, int64_t count, int64_t* indices,
                      int64_t capacity) {
  return HWY_DYNAMIC_DISPATCH(indices_above)(logits, threshold, count, indices, capacity);
}
double exponentials_in_place(float* logits, float shift, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(exponentials_in_place)(logits, shift, count);
}

}  // namespace fokker::kernel
#endif
