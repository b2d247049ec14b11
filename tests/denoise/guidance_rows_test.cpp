// Guidance row by row and level by level: intervals of noise levels, rows without a condition, conditions of
// numbers.
#include <atomic>

#include "fokker/denoise/guidance.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "support.h"

namespace fokker {
namespace {

/// x plus ten times the label or the sum of the condition; x alone without one. Counts its calls.
class ShiftByCondition final : public Denoiser {
 public:
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
    ++calls;
    Tensor shift = at::zeros({1}, at::kDouble);
    if (label.defined() && label.dim() == 1)
      shift = at::where(label >= 0, label.to(at::kDouble) * 10, at::zeros_like(label, at::kDouble));
    if (label.defined() && label.dim() == 2)
      shift = at::where(label.isnan().any(1), at::zeros({1}, at::kDouble), label.sum(1));
    return Estimate(x, x + shift.unsqueeze(1), Prediction::noise(), process_, t);
  }
  const GaussianProcess& process() const override { return process_; }
  mutable std::atomic<int> calls = 0;

 private:
  GaussianProcess process_{VariancePreserving{}};
};

double time_of_level(const GaussianProcess& process, double level) {
  return process.schedule()->time_of_log_snr(-2 * std::log(level));
}

TEST(GuidanceInterval, GuidesWithinAndAsksNothingOutside) {
  const auto inner = std::make_shared<ShiftByCondition>();
  const GuidedDenoiser guided(inner, 1, 3.0, {0.5, 2});
  const Tensor x = rows_of({{0.5, -1.0}, {2.0, 0.0}});
  for (const auto& [level, inside] :
       std::vector<std::pair<double, bool>>{{0.49, false}, {0.51, true}, {1.99, true}, {2.01, false}}) {
    inner->calls = 0;
    const double t = time_of_level(inner->process(), level);
    EXPECT_TRUE(at::equal(guided.estimate(x, t).value(), x + (inside ? 30 : 10))) << level;
    EXPECT_EQ(inner->calls, inside ? 2 : 1) << level;
  }
}

TEST(GuidanceInterval, IsToldByEachRowsTime) {
  const auto inner = std::make_shared<ShiftByCondition>();
  const GuidedDenoiser guided(inner, 1, 3.0, {0.5, 2});
  const double low = time_of_level(inner->process(), 0.1), middle = time_of_level(inner->process(), 1);
  const Tensor x = rows_of({{0.5}, {2.0}, {1.0}});
  EXPECT_TRUE(
      at::equal(guided.estimate(x, vector_of({low, middle, low})).value(), x + rows_of({{10}, {30}, {10}})));
  inner->calls = 0;
  guided.estimate(x, vector_of({low, low, low}));
  EXPECT_EQ(inner->calls, 1);
}

TEST(GuidanceInterval, HoldsItsEnds) {
  const GaussianProcess flow{Flow{}};
  EXPECT_TRUE(GuidanceInterval{}.contains(flow, 1)) << "sigma / alpha is infinite";
  EXPECT_TRUE(GuidanceInterval{}.contains(flow, 0));
  EXPECT_FALSE((GuidanceInterval{0, 1e6}.contains(flow, 1)));
  EXPECT_TRUE((GuidanceInterval{1, 1}.contains(flow, 0.5)));
  const auto inner = std::make_shared<ShiftByCondition>();
  EXPECT_THAT([&] { GuidedDenoiser(inner, 2.0, {2, 1}); }, message("expected an interval"));
  EXPECT_THAT([&] { GuidedDenoiser(inner, 2.0, {-1, 1}); }, message("expected an interval"));
  EXPECT_THAT([&] { GuidedDenoiser(inner, std::nan("")); }, message("expected a finite weight"));
}

TEST(GuidedRows, WithoutAConditionAreUnconditional) {
  const auto inner = std::make_shared<ShiftByCondition>();
  const Tensor x = rows_of({{0.5, -1.0}, {2.0, 0.0}, {1, 1}});
  const Tensor labels = at::tensor({2, -1, 0}, at::kLong);
  EXPECT_TRUE(
      at::equal(GuidedDenoiser(inner, 3.0).estimate(x, 0.5, labels).value(), x + rows_of({{60}, {0}, {0}})));
  const double nan = std::nan("");
  const Tensor conditions = rows_of({{1, 2}, {nan, nan}, {0.5, 0}});
  EXPECT_TRUE(at::equal(GuidedDenoiser(inner, conditions, 3.0).estimate(x, 0.5).value(),
                        x + rows_of({{9}, {0}, {1.5}})));
}

TEST(GuidedRows, TakeOneConditionForAll) {
  const auto inner = std::make_shared<ShiftByCondition>();
  const Tensor x = rows_of({{0.5, -1.0}, {2.0, 0.0}});
  EXPECT_TRUE(at::equal(GuidedDenoiser(inner, rows_of({{1, 2}}), 2.0).estimate(x, 0.5).value(), x + 6));
  EXPECT_TRUE(
      at::equal(GuidedDenoiser(inner, at::tensor({3}, at::kLong), 2.0).estimate(x, 0.5).value(), x + 60));
  EXPECT_THAT([&] { GuidedDenoiser(inner, at::ones({2}), 1.0); }, message("(n) int64 or (n, k) floating"));
  EXPECT_THAT(
      [&] {
        GuidedDenoiser(inner, at::ones({2, 2}, at::kLong), 1.0);
      },
      message("(n) int64 or (n, k) floating"));
}

/// Of three classes and two columns, with weights that are not zero.
std::shared_ptr<const Denoiser> small_model(uint64_t seed, int64_t width, const Prediction& prediction) {
  auto network = std::make_shared<Mlp>(
      MlpOptions{.dimension = 2, .width = width, .depth = 1, .embedding_size = 4, .classes = 3}, seed);
  const GradientMode off(false);
  for (const auto& p : network->parameters())
    p.tensor.copy_(Rng(seed).stream(p.name).normal({p.tensor.numel()}).reshape(p.tensor.sizes()) * 0.4);
  return std::make_shared<LearnedDenoiser>(
      network, DenoiserSpec{.process = VariancePreserving{}, .prediction = prediction});
}

/// All orders of classifier-free guidance, a term of x, and a guide.
std::vector<std::shared_ptr<const Denoiser>> combinations() {
  const auto main = small_model(1, 16, Prediction::velocity());
  const auto guide = small_model(2, 8, Prediction::noise());
  const ScoreTerm term = energy_term([](const Tensor& x, const Times&) { return x.pow(4).sum(1) * 0.1; });
  using Wrap = std::function<std::shared_ptr<const Denoiser>(std::shared_ptr<const Denoiser>)>;
  std::vector<Wrap> wraps = {[](auto d) {
                               return std::make_shared<GuidedDenoiser>(d, 2.5, GuidanceInterval{0.1, 5});
                             },
                             [&](auto d) { return std::make_shared<ScoreGuidedDenoiser>(d, term); },
                             [&](auto d) { return std::make_shared<AutoguidedDenoiser>(d, guide, 1.7); },
                             [](auto d) { return std::make_shared<ClippedDenoiser>(d, 1.5); }};
  std::vector<size_t> order{0, 1, 2, 3};
  std::vector<std::shared_ptr<const Denoiser>> all;
  do {
    std::shared_ptr<const Denoiser> denoiser = main;
    for (const size_t i : order) denoiser = wraps[i](denoiser);
    all.push_back(denoiser);
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

// What a row becomes depends on its own condition alone, in every order of the decorators; and a frozen form
// says the same.
TEST(Combinations, OfAnyOrderTreatRowsAloneAndFreeze) {
  const GradientMode off(false);
  const Tensor x = Rng(4).normal({6, 2}), labels = at::tensor({0, 2, -1, 1, 0, -1}, at::kLong);
  for (const auto& denoiser : combinations()) {
    const auto frozen = denoiser->frozen();
    ASSERT_NE(frozen, nullptr);
    for (const double t : {0.05, 0.3, 0.7}) {
      const Tensor mixed = denoiser->estimate(x, t, labels).denoised();
      EXPECT_LT(worst(frozen->estimate(x, t, labels).denoised(), mixed), 5e-5);
      for (int64_t i = 0; i < 6; ++i) {
        const Tensor label = labels[i].item<int64_t>() < 0 ? Tensor() : labels.narrow(0, i, 1);
        EXPECT_LT(worst(denoiser->estimate(x.narrow(0, i, 1), t, label).denoised()[0], mixed[i]), 5e-5) << t;
      }
    }
  }
}

// Weights whose sum is one leave a term as it is, so that it may be added inside or outside.
TEST(Combinations, OfLinearOnesCommute) {
  const GradientMode off(false);
  const Tensor x = Rng(4).normal({6, 2}), labels = at::tensor({0, 2, -1, 1, 0, -1}, at::kLong);
  const auto main = small_model(1, 16, Prediction::velocity());
  const ScoreTerm term = energy_term([](const Tensor& y, const Times&) { return y.pow(4).sum(1) * 0.1; });
  const auto guided = std::make_shared<GuidedDenoiser>(main, 2.5);
  const auto outside = ScoreGuidedDenoiser(guided, term).estimate(x, 0.4, labels);
  const auto inside =
      GuidedDenoiser(std::make_shared<ScoreGuidedDenoiser>(main, term), 2.5).estimate(x, 0.4, labels);
  EXPECT_LT(worst(outside.denoised(), inside.denoised()), 2e-6);
  EXPECT_LT(worst(outside.score(), inside.score()), 2e-6);
  EXPECT_GT(worst(outside.score(), guided->estimate(x, 0.4, labels).score()), 0.1) << "the term counts";
}

}  // namespace
}  // namespace fokker
