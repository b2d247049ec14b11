// The problem that the tests of Hugging Face diffusers' schedulers (tests/schedulers, Apache 2.0) run: the
// start is 0..767 over 768, and the model answers x i/(i + 1) at index i of its chain, time (i + 1)/N.
#pragma once
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "fokker/denoise/guidance.h"
#include "sample/samplers.h"

namespace fokker::published {

inline Tensor start() {
  return (at::arange(768, at::kDouble) / 768).reshape({3, 8, 8, 4}).permute({3, 0, 1, 2}).contiguous();
}

/// What their tests add where they begin in the middle of a run: the same numbers from the other end.
inline Tensor added_noise() {
  return (at::arange(767, -1, -1, at::kDouble) / 768)
      .reshape({3, 8, 8, 4})
      .permute({3, 0, 1, 2})
      .contiguous();
}

inline double model_factor(double index) {
  return index / (index + 1);
}

/// The linear chain with alphabar as diffusers holds it: multiplied out of betas in single precision. Some of
/// their figures are so large that its seventh digit shows.
inline GaussianProcess rounded_chain(int64_t steps, double first_beta = 1e-4) {
  const Tensor alphabar =
      at::cumprod(1 - at::linspace(first_beta, 0.02, steps, at::kFloat), 0).to(at::kDouble);
  const Tensor before = at::cat({at::ones({1}, at::kDouble), alphabar.slice(0, 0, steps - 1)});
  const Tensor beta = 1 - alphabar / before;
  return GaussianProcess(BetaTable{{beta.data_ptr<double>(), beta.data_ptr<double>() + steps}});
}

/// Torch's own generator on the CPU, in single precision.
inline NoiseSource torch_noise(uint64_t seed) {
  return [generator = at::detail::createCPUGenerator(seed)](IntArrayRef shape, DrawPosition) {
    return at::randn(shape, generator, at::kFloat).to(at::kDouble);
  };
}

/// Where one of their steps begins: our time, and the index that their model is told.
struct Place {
  double time, index;
};
using Places = std::vector<Place>;

/// The index told at time t.
inline double index_at(const Places& places, double t) {
  const auto distance = [t](const Place& p) { return std::abs(p.time - t); };
  return std::min_element(places.begin(), places.end(),
                          [&](const Place& a, const Place& b) { return distance(a) < distance(b); })
      ->index;
}

/// sigma/alpha at index i.
inline double ratio_at(const GaussianProcess& process, int64_t i) {
  return std::exp(-0.5 * process.log_snr(static_cast<double>(i + 1) /
                                         static_cast<double>(process.schedule()->chain_steps())));
}

/// n indices evenly from N - 1 to 0, not rounded: between two of the chain, sigma/alpha is interpolated.
inline Places linspace_places(const GaussianProcess& process, int64_t n) {
  const auto last = static_cast<double>(process.schedule()->chain_steps() - 1);
  Places places;
  for (int64_t k = n - 1; k >= 0; --k) {
    const double index = last * static_cast<double>(k) / static_cast<double>(n - 1);
    const auto below = static_cast<int64_t>(index);
    const double ratio = k == n - 1 ? ratio_at(process, below)
                                    : std::lerp(ratio_at(process, below), ratio_at(process, below + 1),
                                                index - std::floor(index));
    places.push_back({process.schedule()->time_of_log_snr(-2 * std::log(ratio)), index});
  }
  return places;
}

/// The n noisy levels of Karras et al. (2022), eq. 5; the index is interpolated in log(sigma/alpha).
inline Places karras_places(const GaussianProcess& process, int64_t n) {
  const int64_t length = process.schedule()->chain_steps();
  std::vector<double> times = TimeGrid::karras(process, n).times();
  times.pop_back();
  Places places;
  for (const double t : times) {
    const auto below = std::clamp<int64_t>(
        static_cast<int64_t>(std::floor(static_cast<double>(length) * t - 1 + 1e-9)), 0, length - 2);
    const double low = std::log(ratio_at(process, below)), high = std::log(ratio_at(process, below + 1));
    const double weight = std::clamp((-0.5 * process.log_snr(t) - low) / (high - low), 0.0, 1.0);
    places.push_back({t, static_cast<double>(below) + weight});
  }
  return places;
}

}  // namespace fokker::published
