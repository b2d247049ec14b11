// Adaptive steps of rows that share a batch.
#include "fokker/sde/dormand_prince.h"

#include <gtest/gtest.h>

#include "support.h"

namespace fokker {
namespace {

constexpr DormandPrince::Options eight_digits{.rtol = 1e-8, .atol = 1e-8};

/// The row that a RowError names, and -1 where there is none.
template <typename Action>
int64_t refused_row(Action action) {
  try {
    action();
  } catch (const RowError& error) {
    return error.row();
  }
  return -1;
}

// dx/dt = -k x: a row of k = 5000 wants some 1500 steps for its stability, the others some 20.
TEST(AdvanceRows, OneStiffRowDoesNotSlowTheOthers) {
  const int64_t n = 40, stiff = 17;
  Tensor k = at::linspace(0.5, 2, n, at::kDouble).unsqueeze(1);
  k[stiff] = 5000;
  int64_t together = 0, alone = 0;
  const RowRate rate = [&](const Tensor& x, double, const Tensor& rows) {
    ++(rows.size(0) > 1 ? together : alone);
    return -k.index_select(0, rows) * x;
  };
  const Tensor x = at::ones({n, 1}, at::kDouble);
  const OdeRun run = advance_rows(rate, x, 0, 1, eight_digits);
  EXPECT_LT(worst(run.x, (-k).exp()), 1e-6);
  EXPECT_GT(alone, 3000);
  EXPECT_LT(together, 1000);
  EXPECT_LE(run.evaluations, together + alone);
}

// As the rows by themselves: a group is left with the step and the state that its rows have.
TEST(AdvanceRows, RowsKeepTheirNumbersWhereverTheyGo) {
  const Tensor k = vector_of({1, 3000, 2, 9000, 0.5}).unsqueeze(1),
               x = vector_of({1, 2, 3, 4, 5}).unsqueeze(1);
  const RowRate rate = [&](const Tensor& state, double t, const Tensor& rows) {
    return -k.index_select(0, rows) * (state - std::cos(t)) - std::sin(t);
  };
  const OdeRun run = advance_rows(rate, x, 0, 1, eight_digits);
  EXPECT_LT(worst(run.x, std::cos(1.0) + (x - 1) * (-k).exp()), 1e-6);
}

TEST(AdvanceRows, NamesARowThatHasNoRate) {
  Tensor x = at::ones({6, 2}, at::kDouble);
  x[4][1] = 1e200;
  int64_t calls = 0;
  const auto run = [&](double explodes_above) {
    calls = 0;
    return refused_row([&] {
      advance_rows(
          [&](const Tensor& state, double, const Tensor&) {
            ++calls;
            return at::where(state.abs() > explodes_above, std::nan(""), state);
          },
          x, 0, 2, eight_digits);
    });
  };
  EXPECT_EQ(run(1e100), 4) << "at the start";
  EXPECT_LT(calls, 3);
  x[4][1] = 1;
  x[2][0] = 1.5;
  EXPECT_EQ(run(1.5 * std::exp(1.0)), 2) << "on the way";
  EXPECT_LT(calls, 1000);
}

TEST(AdvanceRows, NamesTheRowThatTakesTooManySteps) {
  const Tensor k = vector_of({1, 1, 1e7, 1}).unsqueeze(1);
  const RowRate rate = [&](const Tensor& x, double, const Tensor& rows) {
    return -k.index_select(0, rows) * x;
  };
  const Tensor x = at::ones({4, 1}, at::kDouble);
  EXPECT_EQ(
      refused_row([&] { advance_rows(rate, x, 0, 1, {.rtol = 1e-6, .atol = 1e-6, .most_steps = 300}); }), 2);
}

// A rate whose square, in tolerances, leaves the range of numbers must not become a step that is none.
TEST(DormandPrince, FindsAFirstStepForAnyRate) {
  DormandPrince run({.rtol = 1e-8, .atol = 1e-160, .most_steps = 2000});
  const Tensor x = at::full({2, 1}, 1e-150, at::kDouble);
  const Tensor end = run.advance([](const Tensor& s, double) { return at::full_like(s, 1e10); }, x, 0, 1);
  EXPECT_NEAR(end[0].item<double>() / 1e10, 1, 1e-12);
}

}  // namespace
}  // namespace fokker
