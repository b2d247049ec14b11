// Agreement with published implementations, continued: the methods in the variables y = x/alpha and
// r = sigma/alpha. The figures are those of Hugging Face diffusers' tests/schedulers/test_scheduler_{euler,
// heun,lms,euler_ancestral,edm_euler}.py, within the tolerances there, or half their last digit where that is
// less. Two of them, of Euler and Heun with the velocity, are below the tolerance and say only that the run
// ends near 0: where theirs expect 2e-4 and 4.7e-7, it ends at 2.4e-10 and 4.9e-7.
//
// All but the last of these loops hand the scaled model input x = alpha y to the scheduler as its state y, at
// every step, and the model is told that state. A run whose state shrinks so at every evaluation solves
// nothing, but it is a run of the same formulas: the shrinking is here, the step is the library's.
#include "sample/published.h"

namespace fokker {
namespace {

using published::Place;
using published::Places;

/// Their chain of 1100 with one sampler and prediction.
struct FedBackLoop {
  GaussianProcess process = published::rounded_chain(1100);
  Places places = published::linspace_places(process, 10);
  Prediction prediction = Prediction::noise();
  NoiseSource noise = {};
  std::any history = {};

  /// What the model says at a state that is y for it: noise at (x, t) with x in the place of y.
  Tensor noise_at(const Tensor& x, double t) const {
    const Tensor value = x * (published::model_factor(published::index_at(places, t)) / process.alpha(t));
    return Estimate(x, value, prediction, process, t).noise();
  }

  /// From places[first] to the data; x is the state before it shrinks.
  Tensor run(const Sampler& sampler, Tensor x, size_t first = 0) {
    for (size_t k = first; k < places.size(); ++k) {
      const double t = places[k].time, s = k + 1 < places.size() ? places[k + 1].time : 0;
      const FunctionDenoiser model(
          [&](const Tensor& state, const Times& u) {
            // The state at t has shrunk already; that of a second evaluation has not.
            return noise_at(u.scalar() == t ? state : state * process.alpha(u.scalar()), u.scalar());
          },
          process, Prediction::noise());
      StepContext context{
          .t = t, .s = s, .noise = [&](uint32_t) { return noise(x.sizes(), {}); }, .history = history};
      x = sampler.step(model, x * process.alpha(t), context).x;
    }
    return x;
  }

  /// Sum of |x| after the whole run from y = r start.
  double sum(const Sampler& sampler) {
    return run(sampler, published::start() * process.sigma(places[0].time)).abs().sum().item<double>();
  }
  /// The same after the last two steps alone, from the start with noise of that level added.
  double sum_of_last_two(const Sampler& sampler) {
    const double t = places[8].time, first = places[0].time;
    const Tensor y = published::start() * (process.sigma(first) / process.alpha(first)) +
                     published::added_noise() * (process.sigma(t) / process.alpha(t));
    return run(sampler, y * process.alpha(t), 8).abs().sum().item<double>();
  }
};

FedBackLoop karras_loop() {
  FedBackLoop loop;
  loop.places = published::karras_places(loop.process, 10);
  return loop;
}

FedBackLoop velocity_loop() {
  FedBackLoop loop;
  loop.prediction = Prediction::velocity();
  return loop;
}

// Euler's method in r is DDIM.
TEST(Published, EulerDiscrete) {
  const Ddim euler;
  EXPECT_NEAR(FedBackLoop().sum(euler), 10.0807, 1e-2);
  EXPECT_NEAR(karras_loop().sum(euler), 124.522995, 1e-2);
  EXPECT_NEAR(velocity_loop().sum(euler), 0.0002, 1e-2);
  EXPECT_NEAR(FedBackLoop().sum_of_last_two(euler), 57062.9297, 1e-2);
}

// Heun's method in r is Algorithm 1 of Karras et al. (2022).
TEST(Published, HeunDiscrete) {
  const EdmStochastic heun({.churn = 0});
  EXPECT_NEAR(FedBackLoop().sum(heun), 0.1233, 5e-5);
  EXPECT_NEAR(karras_loop().sum(heun), 0.00015, 5e-6);
  EXPECT_NEAR(velocity_loop().sum(heun), 4.6934e-07, 1e-2);
  EXPECT_NEAR(FedBackLoop().sum_of_last_two(heun), 75074.8906, 1e-2);
}

TEST(Published, LinearMultistep) {
  const LinearMultistep lms;
  EXPECT_NEAR(FedBackLoop().sum(lms), 1006.388, 1e-2);
  EXPECT_NEAR(karras_loop().sum(lms), 3812.9927, 2e-2);
  EXPECT_NEAR(velocity_loop().sum(lms), 0.0017, 5e-5);
}

// Where their run begins in the middle, it takes the weights of order 4 with the slopes it has, one and then
// two: as though the slopes before had been zero. From a true start of order 1 the sum would be
// 57074.759.
TEST(Published, LinearMultistepFromTheMiddle) {
  FedBackLoop loop;
  Past zeros;
  for (const size_t k : {7, 6, 5}) {
    const double t = loop.places[k].time;
    zeros.push_back({loop.process.sigma(t) / loop.process.alpha(t), at::zeros_like(published::start())});
  }
  loop.history = zeros;
  EXPECT_NEAR(loop.sum_of_last_two(LinearMultistep()), 27663.6895, 1e-2);
}

// Their ancestral step draws the posterior's noise, from torch's generator with seed 0.
TEST(Published, EulerAncestral) {
  const auto with_noise = [](FedBackLoop loop) {
    loop.noise = published::torch_noise(0);
    return loop;
  };
  EXPECT_NEAR(with_noise({}).sum(Ancestral()), 152.3192, 1e-2);
  EXPECT_NEAR(with_noise({}).sum(Ddim(1.0)), 152.3192, 1e-2);
  EXPECT_NEAR(with_noise(velocity_loop()).sum(Ancestral()), 108.4439, 1e-2);
  EXPECT_NEAR(with_noise({}).sum_of_last_two(Ancestral()), 56163.0508, 1e-2);
}

// No feedback here: the whole run is `integrate` on Karras's own levels and scalings, with data of deviation
// 0.5, and the step to sigma = 0 is the denoised estimate. The model is told log(sigma)/4 for an index.
TEST(Published, EdmEuler) {
  const GaussianProcess process = Edm{};
  const FunctionDenoiser model(
      [&](const Tensor& x, const Times& t) {
        const double sigma = process.sigma(t.scalar());
        return x * (published::model_factor(0.25 * std::log(sigma)) / std::sqrt(sigma * sigma + 0.25));
      },
      process, Prediction::edm(0.5));
  const Tensor x =
      integrate(model, Ddim(), TimeGrid::uniform(9), published::start() * std::sqrt(80.0 * 80.0 + 1)).x;
  EXPECT_NEAR(x.abs().sum().item<double>(), 34.1855, 1e-3);
}

}  // namespace
}  // namespace fokker
