#include "fokker/table/normal_scores.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker {
namespace {

constexpr int64_t rate_rows = 20'000;

Tensor places(const char* purpose, int64_t n = rate_rows) {
  return Rng(7).stream(purpose).uniform({n}, {}, at::kDouble);
}
Tensor scores_drawn(const char* purpose, int64_t n = rate_rows) {
  return Rng(7).stream(purpose).normal({n}, {}, at::kDouble);
}
double share_of(const Tensor& values, double value) {
  return (values == value).to(at::kDouble).mean().item<double>();
}
/// Largest distance between the distribution function of x and the standard normal one.
double off_normal(const Tensor& x) {
  const int64_t n = x.size(0);
  const Tensor u = 0.5 * at::erfc(std::get<0>(x.sort()) * -M_SQRT1_2);
  return (u - (at::arange(n, at::kDouble) + 0.5) / static_cast<double>(n)).abs().max().item<double>();
}

/// A rate: in six rows of ten 1/k, most often of small k, else any number.
Tensor rates() {
  const Tensor k = (1 + 300 * places("k").square()).floor();
  return at::where(places("which") < 0.6, 1 / k, places("any") * places("any 2"));
}

TEST(NormalScores, ValuesThatComeAgainComeBackAsOften) {
  const Tensor values = rates();
  const NormalScores map = NormalScores::fit(values, 0);
  const Tensor scores = map.to_scores(values, places("within"));
  EXPECT_LT(off_normal(scores), 1.95 / std::sqrt(rate_rows));  // p = 0.001
  // Float32 is what the model has of them.
  const Tensor back = map.to_values(scores.to(at::kFloat));
  const Tensor drawn = map.to_values(scores_drawn("scores", 10 * rate_rows));
  int64_t repeated = 0;
  for (int k = 1; k <= 300; ++k) {
    const double value = 1.0 / k, share = share_of(values, value), rounding = 2e-4;
    if (share * rate_rows < 5) continue;
    ++repeated;
    EXPECT_NEAR(share_of(back, value), share, rounding) << k;
    EXPECT_NEAR(share_of(drawn, value), share, 4 * std::sqrt(share / (10 * rate_rows)) + rounding) << k;
  }
  EXPECT_GT(repeated, 200);
  EXPECT_EQ(map.to_values(map.to_scores(values, places("within"))).min().item<double>(),
            values.min().item<double>());
  const NormalScores again = NormalScores::from_json(Json::parse(map.to_json().dump()), "f.json");
  EXPECT_TRUE(again.to_values(scores).equal(map.to_values(scores)));
}

// N(z) times the slope is the share of such a value wherever in its interval, and the density of the others.
TEST(NormalScores, SlopesOfThemAreTheirShares) {
  const Tensor values = rates();
  const NormalScores map = NormalScores::fit(values, 0);
  for (const double value : {1.0, 0.5, 0.02}) {
    const Tensor at = at::full({5}, value, at::kDouble);
    const Tensor z = map.to_scores(at, at::linspace(0.05, 0.95, 5, at::kDouble));
    const Tensor probability = (map.log_slope(z) - 0.5 * z.square()).exp() / std::sqrt(2 * M_PI);
    EXPECT_LT(worst(probability, at::full({5}, share_of(values, value), at::kDouble)), 1e-4) << value;
  }
  // Of a law without repeats it is the density: of U(0, 1) one.
  const NormalScores even = NormalScores::fit(places("even"), 0);
  const Tensor z =
      even.to_scores(at::linspace(0.1, 0.9, 200, at::kDouble), at::full({200}, 0.5, at::kDouble));
  const Tensor density = (even.log_slope(z) - 0.5 * z.square()).exp() / std::sqrt(2 * M_PI);
  EXPECT_NEAR(average(density), 1, 0.02);
}

// Of prices in cents those that end in .99 are heaps among some thousand values.
TEST(NormalScores, HeapsOfRoundedValuesStay) {
  const Tensor price = (scores_drawn("price") * 0.5 + 3).exp();
  const Tensor cents = at::where(places("ends") < 0.4, price.floor() * 100 + 99, (price * 100).round()) / 100;
  const NormalScores map = NormalScores::fit(cents, 0.01);
  const Tensor drawn = map.to_values(scores_drawn("scores", 10 * rate_rows));
  for (const double value : {9.99, 15.99, 24.99, 40.99, 15.5}) {
    const double share = share_of(cents, value);
    EXPECT_NEAR(share_of(drawn, value), share, 4 * std::sqrt(share / (10 * rate_rows)) + 2e-4) << value;
  }
  EXPECT_GT(share_of(cents, 15.99), 20 * share_of(cents, 15.5));
  EXPECT_LT(off_normal(map.to_scores(cents, places("within"))), 1.95 / std::sqrt(rate_rows));
}

TEST(NormalScores, RefusesWhatFalls) {
  Json json = NormalScores::fit(rates(), 0).to_json();
  json["values"][1] = -5;
  expect_error([&] { NormalScores::from_json(json, "f.json"); }, ErrorKind::input, "f.json: expected rising");
}

}  // namespace
}  // namespace fokker
