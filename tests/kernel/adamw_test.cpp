#include "fokker/kernel/vector/adamw.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/core/random/rng.h"
#include "instruction_sets.h"
#include "support.h"

namespace fokker::kernel {
namespace {

AdamWState random_state(int64_t n, at::ScalarType type) {
  const Rng rng(1);
  const auto draw = [&](uint64_t id) { return rng.stream(id).normal({n}, {}, type); };
  return {draw(1), draw(2), draw(3), draw(4).square(), draw(5)};
}

AdamWState copy(const AdamWState& s) {
  return {s.parameters.clone(), s.gradients.clone(), s.first_moment.clone(), s.second_moment.clone(),
          s.average.clone()};
}

// The fused loop is the plain definition, on a length that is no multiple of any vector width.
TEST(AdamW, FusedStepIsThePlainOne) {
  for (auto type : {at::kFloat, at::kDouble}) {
    const AdamWState fused = random_state(40'003, type), plain = copy(fused);
    const double tolerance = type == at::kFloat ? 2e-5 : 1e-13;
    for (int64_t step = 1; step <= 3; ++step) {
      const AdamWStep options{
          .learning_rate = 3e-3, .weight_decay = 0.1, .gradient_scale = 0.3, .ema_decay = 0.9, .step = step};
      adamw_step(fused, options);
      adamw_step_plain(plain, options);
    }
    const auto close = [&](const Tensor& a, const Tensor& b) {
      return at::allclose(a, b, tolerance, tolerance);
    };
    EXPECT_TRUE(close(fused.parameters, plain.parameters));
    EXPECT_TRUE(close(fused.first_moment, plain.first_moment));
    EXPECT_TRUE(close(fused.second_moment, plain.second_moment));
    EXPECT_TRUE(close(fused.average, plain.average));
  }
}

// Loshchilov and Hutter (2019), Algorithm 2, by hand for one number: with zero moments the first step is
// lr g/(|g| + eps) whatever the size of g.
TEST(AdamW, FirstStepHasTheSizeOfTheLearningRate) {
  const auto one = [](double v) { return at::full({1}, v, at::kDouble); };
  const AdamWState state{one(2.0), one(-1e-3), one(0), one(0), one(1.0)};
  adamw_step(state, {.learning_rate = 0.1, .weight_decay = 0.5, .ema_decay = 0.75, .step = 1});
  const double expected = 2.0 * (1 - 0.1 * 0.5) + 0.1 * 1e-3 / (1e-3 + 1e-8);
  EXPECT_NEAR(state.parameters.item<double>(), expected, 1e-12);
  EXPECT_NEAR(state.average.item<double>(), 0.75 + 0.25 * expected, 1e-12);
}

// From a_0, n updates with constant parameters p: a_n = p + d^n (a_0 - p), a product of decays where d
// changes.
TEST(AdamW, AverageOfConstantParametersIsGeometric) {
  const auto full = [](double v) { return at::full({5}, v, at::kDouble); };
  const AdamWState state{full(-1), full(0), full(0), full(0), full(3)};
  double product = 1;
  for (int64_t n = 1; n <= 20; ++n) {
    const double decay = n < 10 ? 0.9 : 0.5;
    adamw_step(state, {.learning_rate = 0, .ema_decay = decay, .step = n});
    product *= decay;
    EXPECT_LT((state.average - (-1 + product * 4)).abs().max().item<double>(), 1e-13) << n;
  }
}

TEST(AdamW, AverageWithZeroDecayIsACopy) {
  const AdamWState state = random_state(101, at::kFloat);
  adamw_step(state, {.ema_decay = 0});
  EXPECT_TRUE(at::equal(state.average, state.parameters));
}

TEST(AdamW, RunsOnEachInstructionSet) {
  on_each_instruction_set([] {
    const AdamWState fused = random_state(37, at::kFloat), plain = copy(fused);
    adamw_step(fused, {.weight_decay = 0.1, .ema_decay = 0.9});
    adamw_step_plain(plain, {.weight_decay = 0.1, .ema_decay = 0.9});
    EXPECT_TRUE(at::allclose(fused.parameters, plain.parameters, 2e-5, 2e-5));
    EXPECT_TRUE(at::allclose(fused.average, plain.average, 2e-5, 2e-5));
  });
}

TEST(AdamW, RefusesBuffersThatDoNotFitTogether) {
  const AdamWState good = random_state(8, at::kFloat);
  const auto with = [&](Tensor AdamWState::*member, const Tensor& value) {
    return [=] {
      AdamWState state = good;
      state.*member = value;
      adamw_step(state, {});
    };
  };
  EXPECT_THAT(with(&AdamWState::gradients, at::zeros({7})), message("of one length, 8"));
  EXPECT_THAT(with(&AdamWState::average, at::zeros({8}, at::kDouble)), message("one type"));
  EXPECT_THAT(with(&AdamWState::second_moment, at::zeros({16}).slice(0, 0, 16, 2)), message("contiguous"));
  EXPECT_THAT(with(&AdamWState::first_moment, {}), message("undefined"));
  EXPECT_THAT([&] { adamw_step(good, {.step = 0}); }, message("counts from 1"));
}

TEST(AdamW, RefusesHalfPrecision) {
  const Tensor half = at::zeros({4}, at::kHalf);
  EXPECT_THROW(adamw_step({half, half, half, half, half}, {}), Error);
}

}  // namespace
}  // namespace fokker::kernel
