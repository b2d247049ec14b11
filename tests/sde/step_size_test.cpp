// The step sizes of Dormand and Prince's method in closed form, seen in the times at which it asks for the
// rate.
#include <gtest/gtest.h>

#include "fokker/sde/dormand_prince.h"
#include "support.h"

namespace fokker {
namespace {

/// The times at which a run from 0 to `end` asks for the rate -decay x, from x = 1.
std::vector<double> times_of(DormandPrince& run, double decay, double end) {
  std::vector<double> times;
  run.advance(
      [&](const Tensor& x, double t) {
        times.push_back(t);
        return -decay * x;
      },
      at::ones({1, 1}, at::kDouble), 0, end);
  return times;
}

// Hairer, Norsett and Wanner, II.4: with x = 1, the rate d and the tolerance a (absolute), d_0 = 1/a, d_1 =
// d/a and d_2 = d^2/a; a first guess of 0.01 d_0/d_1 shows d_2, and h = min(100 guess, (0.01 / max(d_1,
// d_2))^(1/5)).
TEST(DormandPrince, StartsWithTheStepOfItsBook) {
  for (const double decay : {0.01, 0.5, 3.0})
    for (const double tolerance : {1e-3, 1e-8}) {
      DormandPrince run({.rtol = 0, .atol = tolerance});
      const std::vector<double> times = times_of(run, decay, 100 / decay);
      const double guess = 0.01 / decay, steepest = std::max(decay, decay * decay) / tolerance;
      const double h = std::min(100 * guess, std::pow(0.01 / steepest, 0.2));
      EXPECT_EQ(times[0], 0);
      EXPECT_NEAR(times[1], guess, 1e-12 * guess);
      EXPECT_NEAR(times[2], h / 5, 1e-9 * h) << "the second stage of the first step";
      EXPECT_NEAR(times[7], h, 1e-9 * h) << "its last";
    }
}

// Gustafsson (1991): a step grows by 0.9 e^-0.14 (e before)^0.08, at most tenfold. Nothing moves, so that
// errors count as 1e-10, and 1e-4 before the first: steps of 1e-6, ten times that, then each 0.9 10^0.6 times
// the last.
TEST(DormandPrince, GrowsAsItsControllerSays) {
  DormandPrince run({.rtol = 0, .atol = 1e-6});
  const std::vector<double> times = times_of(run, 0, 1);
  double step = 1e-6, end = 0;
  size_t call = 2;  // the rate at the start, and the guess of the first step
  for (int64_t k = 0; end < 1; ++k, call += 6) {
    end = std::min(1.0, end + step);
    ASSERT_LT(call + 5, times.size());
    EXPECT_NEAR(times[call + 5], end, 1e-9 * end) << "step " << k;
    step *= k == 0 ? 10 : 0.9 * std::pow(10, 0.6);
  }
  EXPECT_EQ(call, times.size());
  EXPECT_EQ(run.evaluations(), static_cast<int64_t>(times.size()));
  EXPECT_EQ(run.rejected(), 0);
}

}  // namespace
}  // namespace fokker
