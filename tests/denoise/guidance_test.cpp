#include "fokker/denoise/guidance.h"

#include "fokker/denoise/analytic.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "support.h"

namespace fokker {
namespace {

/// Predicts label + x, or x alone without a label.
class ShiftByLabel final : public Denoiser {
 public:
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
    const Tensor shift =
        label.defined() ? label.to(at::kDouble).unsqueeze(1) : at::zeros({1, 1}, at::kDouble);
    return Estimate(x, x + shift, Prediction::noise(), process_, t);
  }
  const GaussianProcess& process() const override { return process_; }

 private:
  GaussianProcess process_{VariancePreserving{}};
};

const std::shared_ptr<const Denoiser> by_label = std::make_shared<ShiftByLabel>();

// Ho and Salimans (2022): (1 - w) unconditional + w conditional, for every w.
TEST(GuidedDenoiser, IsLinearInItsWeight) {
  const Tensor x = rows_of({{0.5, -1.0}, {2.0, 0.0}}), labels = at::tensor({4, 7}, at::kLong);
  const Tensor shift = labels.to(at::kDouble).unsqueeze(1);
  for (const double weight : {-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 7.5}) {
    EXPECT_LT(worst(GuidedDenoiser(by_label, 4, weight).estimate(x, 0.5).value(), x + 4 * weight), 1e-12)
        << weight;
    const Tensor mixed = x + shift * weight;
    EXPECT_LT(worst(GuidedDenoiser(by_label, labels, weight).estimate(x, 0.5).value(), mixed), 1e-12);
    EXPECT_LT(worst(GuidedDenoiser(by_label, weight).estimate(x, 0.5, labels).value(), mixed), 1e-12);
  }
}

TEST(GuidedDenoiser, PrefersTheLabelsThatItBinds) {
  const Tensor x = rows_of({{0.5, -1.0}, {2.0, 0.0}}), given = at::tensor({1, 2}, at::kLong);
  EXPECT_TRUE(at::equal(GuidedDenoiser(by_label, 4, 1.0).estimate(x, 0.5, given).value(), x + 4));
  EXPECT_TRUE(at::equal(GuidedDenoiser(by_label, 3.0).estimate(x, 0.5).value(), x)) << "no label at all";
  EXPECT_THAT([&] { GuidedDenoiser(by_label, -1, 1.0); }, message("expected label >= 0"));
  EXPECT_THAT([&] { GuidedDenoiser(by_label, at::ones({2}), 1.0); }, message("(n) int64 or (n, k) floating"));
  EXPECT_THAT([&] { GuidedDenoiser(by_label, at::ones({3}, at::kLong), 1.0).estimate(x, 0.5); },
              message("expected the 3 rows whose labels are bound but received 2"));
  EXPECT_THAT([&] { GuidedDenoiser(nullptr, 2.0); }, message("expected a denoiser"));
}

/// Of two classes and two columns.
std::shared_ptr<Mlp> labelled_network() {
  auto network = std::make_shared<Mlp>(
      MlpOptions{.dimension = 2, .width = 16, .depth = 1, .embedding_size = 4, .classes = 2}, 3);
  const GradientMode off(false);
  for (const auto& p : network->parameters()) p.tensor.uniform_(-0.5, 0.5);
  return network;
}

// Its parts may be gone: a decorator and its frozen form own what they wrap.
TEST(Decorators, OwnWhatTheyWrapAndPassItsFrozenFormOn) {
  const Tensor x = Rng(4).normal({5, 2});
  const GradientMode off(false);
  std::shared_ptr<const Denoiser> frozen;
  Tensor expected, unlabelled;
  {
    std::shared_ptr<const Denoiser> denoiser = std::make_shared<LearnedDenoiser>(
        labelled_network(),
        DenoiserSpec{.process = VariancePreserving{}, .prediction = Prediction::velocity()});
    denoiser = std::make_shared<GuidedDenoiser>(denoiser, 1, 3.0);
    denoiser = std::make_shared<ScoreGuidedDenoiser>(
        denoiser, [](const Tensor& at, const Times&, const Estimate&) { return -at; });
    denoiser = std::make_shared<ClippedDenoiser>(denoiser, 0.7);
    expected = denoiser->estimate(x, 0.3).denoised();
    frozen = denoiser->frozen();
    ASSERT_NE(frozen, nullptr);
  }
  EXPECT_LT(worst(frozen->estimate(x, 0.3).denoised(), expected), 1e-5);
  EXPECT_EQ(ClippedDenoiser(by_label, 1).frozen(), nullptr) << "there is no faster form of the inner one";
}

/// A prior of three modes in the plane and y = x_0 + N(0, noise^2 I): the law of x_0 given y is a mixture
/// too.
struct Observed {
  double variance = 0.3, noise = 0.5;
  Tensor weights = vector_of({0.2, 0.5, 0.3}), means = rows_of({{-1.5, 0.0}, {1.0, 0.5}, {0.2, -1.2}});
  Tensor y = vector_of({0.4, 0.1});

  GaussianMixture prior() const { return GaussianMixture(weights, means, vector_of({variance}).squeeze()); }
  /// N(y; m_k, (v + s^2) I) for each component.
  GaussianMixture posterior() const {
    const double v = variance, s2 = noise * noise;
    const Tensor evidence = (-0.5 / (v + s2) * (y - means).square().sum(1)).exp();
    return GaussianMixture(weights * evidence, (means * s2 + y * v) / (v + s2),
                           vector_of({v * s2 / (v + s2)}).squeeze());
  }
  /// grad log p_t(y | x_t), from log sum_k p(k | x_t) N(y; E[x_0 | x_t, k], (Var + s^2) I), by libtorch.
  Tensor gradient(const Tensor& x, const GaussianProcess& process, double t) const {
    const GradientMode on(true);
    const double a = process.alpha(t), s = process.sigma(t), total = a * a * variance + s * s;
    const Tensor leaf = x.detach().clone().requires_grad_();
    const Tensor gap = leaf.unsqueeze(1) - a * means;
    const Tensor weight = at::log_softmax(weights.log() - gap.square().sum(2) / (2 * total), 1);
    const Tensor mean = means + a * variance / total * gap;
    const double spread = variance * s * s / total + noise * noise;
    const Tensor log_likelihood = at::logsumexp(weight - (y - mean).square().sum(2) / (2 * spread), {1});
    return gradients(log_likelihood.sum(), {leaf}, false)[0];
  }
};

/// Every estimate of `exact`, told as another prediction.
std::shared_ptr<const Denoiser> told_as(const Prediction& prediction,
                                        std::shared_ptr<const AnalyticDenoiser> exact) {
  const GaussianProcess process = exact->process();
  return std::make_shared<FunctionDenoiser>(
      [=](const Tensor& x, const Times& t) {
        const Estimate e = exact->estimate(x, t);
        const auto part = [&](auto of) {
          return t.map([&](double u) { return of(prediction.target(process.schedule().model(), u)); }, x);
        };
        return part([](PathCoefficients c) { return c.data; }) * e.denoised() +
               part([](PathCoefficients c) { return c.noise; }) * e.noise();
      },
      process, prediction);
}

std::vector<Prediction> predictions() {
  return {Prediction::noise(), Prediction::data(), Prediction::velocity(), Prediction::score(),
          Prediction::edm(0.8)};
}

/// The largest difference, in units of the largest true value.
double off(const Tensor& found, const Tensor& exact) {
  return worst(found, exact) / exact.abs().max().item<double>();
}

// Bayes: the score of the posterior is that of the prior and the likelihood's. All else follows by Tweedie.
TEST(ScoreGuidedDenoiser, IsTheDenoiserOfThePosterior) {
  const Observed observed;
  for (const char* spec : {"vp", "sub-vp", "ve", "flow", "edm"})
    for (const Prediction& prediction : predictions()) {
      const GaussianProcess process(make_schedule(spec));
      const auto prior = std::make_shared<const AnalyticDenoiser>(observed.prior(), process);
      const AnalyticDenoiser posterior(observed.posterior(), process);
      const ScoreGuidedDenoiser guided(told_as(prediction, prior),
                                       [&](const Tensor& x, const Times& t, const Estimate&) {
                                         return observed.gradient(x, process, t.scalar());
                                       });
      for (const double t : {0.01, 0.3, 0.6, 0.9}) {
        const Tensor x =
            process.perturb(observed.prior().sample(40, Rng(5)), Rng(6).normal({40, 2}, {}, at::kDouble), t);
        const Estimate found = guided.estimate(x, t), exact = posterior.estimate(x, t);
        const double tolerance = 1e-9 * std::max(1.0, process.sigma(t) / process.alpha(t));
        const std::string where = fmt::format("{} {} {}", spec, prediction.name(), t);
        EXPECT_LT(off(found.denoised(), exact.denoised()), tolerance) << where;
        EXPECT_LT(off(found.noise(), exact.noise()), tolerance) << where;
        EXPECT_LT(off(found.score(), exact.score()), tolerance) << where;
        EXPECT_LT(off(found.velocity(), exact.velocity()), tolerance) << where;
        EXPECT_LT(
            off(found.value(),
                told_as(prediction, std::make_shared<AnalyticDenoiser>(posterior))->estimate(x, t).value()),
            tolerance)
            << where;
      }
    }
}

// As sigma -> 0 the term is sigma^2 of the data: beneath the rounding of float32 data, and still whole in the
// score and the noise.
TEST(Estimate, KeepsAnAddedScoreNextToTheData) {
  const GaussianProcess vp{VariancePreserving{}};
  const double t = 1e-9, sigma = vp.sigma(t);
  const Tensor x = Rng(7).normal({50, 2}), gradient = Rng(8).normal({50, 2}) + 3;
  for (const Prediction& prediction : predictions()) {
    const Tensor value = at::zeros_like(x);
    const Estimate plain(x, value, prediction, vp, t), added = plain.with_score_added(gradient);
    const Tensor wide = gradient.to(at::kDouble);
    const auto gained = [](const Tensor& after, const Tensor& before) {
      return after.to(at::kDouble) - before.to(at::kDouble);
    };
    // What is lost is the rounding of the sum alone.
    const auto rounding = [](const Tensor& sum) { return 2e-7 * sum.abs().max().item<double>(); };
    EXPECT_LE(worst(gained(added.score(), plain.score()), wide), rounding(added.score()));
    EXPECT_LE(worst(gained(added.noise(), plain.noise()), -sigma * wide), rounding(added.noise()));
    EXPECT_LE(worst(gained(added.denoised(), plain.denoised()), sigma * sigma / vp.alpha(t) * wide),
              rounding(added.denoised()));
  }
  // Of data as it is, E[eps] is the term alone: -sigma times it, which sigma^2 in the data would have lost.
  const Estimate still = Estimate(x, x / vp.alpha(t), Prediction::data(), vp, t);
  const Tensor noise = still.with_score_added(gradient).noise() - still.noise();
  EXPECT_LT(relative_difference(noise, -sigma * gradient.to(at::kDouble)), 1e-3);
}

TEST(Estimate, TakesOneTimePerRowForAnAddedScore) {
  const GaussianProcess vp{VariancePreserving{}};
  const Tensor x = Rng(7).normal({3, 2}, {}, at::kDouble), g = Rng(8).normal({3, 2}, {}, at::kDouble);
  const Tensor times = vector_of({0.05, 0.4, 0.9});
  for (const Prediction& prediction : predictions()) {
    const Estimate many = Estimate(x, x * 0.3, prediction, vp, times).with_score_added(g).with_score_added(g);
    for (int64_t i = 0; i < 3; ++i) {
      const Tensor row = x.narrow(0, i, 1);
      const Estimate one = Estimate(row, row * 0.3, prediction, vp, times[i].item<double>())
                               .with_score_added(2 * g.narrow(0, i, 1));
      EXPECT_LT(worst(many.denoised()[i], one.denoised()[0]), 1e-12);
      EXPECT_LT(worst(many.value()[i], one.value()[0]), 1e-12);
      EXPECT_LT(worst(many.velocity()[i], one.velocity()[0]), 1e-12);
    }
  }
}

TEST(Estimate, InterpolatesAddedScores) {
  const GaussianProcess vp{VariancePreserving{}};
  const Tensor x = Rng(7).normal({3, 2}, {}, at::kDouble);
  const Estimate a(x, x, Prediction::data(), vp, 0.4), b = a.with_value(2 * x).with_score_added(x);
  EXPECT_LT(worst(a.towards(b, 3).score(), 3 * b.score() - 2 * a.score()), 1e-12);
  EXPECT_LT(worst(b.towards(a, 3).score(), 3 * a.score() - 2 * b.score()), 1e-12);
  EXPECT_LT(worst(b.towards(b, 3).denoised(), b.denoised()), 1e-12);
}

TEST(Estimate, RefusesAScoreThatSaysNothing) {
  const Tensor x = at::ones({2, 2}, at::kDouble);
  const auto at_time = [&](Times t) { return Estimate(x, x, Prediction::velocity(), Flow{}, t); };
  EXPECT_THAT([&] { at_time(1.0).with_score_added(x); }, message("expected alpha > 0"));
  EXPECT_THAT([&] { at_time(vector_of({0.5, 1})).with_score_added(x); }, message("expected alpha > 0"));
  EXPECT_THAT([&] { at_time(0.5).with_score_added(at::ones({2})); }, message("expected a gradient of shape"));
  EXPECT_THAT([&] { ScoreGuidedDenoiser(by_label, nullptr); }, message("expected a term"));
}

}  // namespace
}  // namespace fokker
