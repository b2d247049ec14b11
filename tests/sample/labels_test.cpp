#include "fokker/denoise/guidance.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "samplers.h"

namespace fokker {
namespace {

/// The exact denoiser of the class of each row: N(-1, 0.3) and N(1, 0.1); without a label, of both.
class OfClasses final : public Denoiser {
 public:
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
    if (!label.defined()) return both_.estimate(x, t);
    const Estimate first = low_.estimate(x, t), second = high_.estimate(x, t);
    const Tensor is_second = (label == 1).unsqueeze(1);
    return Estimate(x, at::where(is_second, second.noise(), first.noise()), Prediction::noise(), process(),
                    t);
  }
  const GaussianProcess& process() const override { return both_.process(); }

 private:
  GaussianProcess process_{VariancePreserving{}};
  AnalyticDenoiser low_{GaussianMixture::gaussian(vector_of({-1}), vector_of({0.3})), process_};
  AnalyticDenoiser high_{GaussianMixture::gaussian(vector_of({1}), vector_of({0.1})), process_};
  AnalyticDenoiser both_{GaussianMixture(vector_of({0.5, 0.5}), rows_of({{-1}, {1}}), vector_of({0.3, 0.1})),
                         process_};
};

Tensor mixed_labels(int64_t n) {
  return Rng(9).integers(n, 2);
}

/// Rows by class, each class in a run of its own that has all rows, against the mixed run.
double dependence_on_the_mix(const Denoiser& denoiser, const Sampler& sampler, int64_t columns,
                             at::ScalarType type) {
  const int64_t n = 60;
  const Tensor labels = mixed_labels(n), start = Rng(1).normal({n, columns}, {}, type);
  const TimeGrid grid = TimeGrid::uniform_log_snr(denoiser.process(), 12);
  const auto run = [&](const Tensor& classes) {
    return integrate(denoiser, sampler, grid, start,
                     {.noise = Rng(2).noise_source(type), .block = 16, .observers = {}, .labels = classes})
        .x;
  };
  const Tensor mixed = run(labels), zeros = run(at::zeros_like(labels)), ones = run(at::ones_like(labels));
  EXPECT_GT(worst(zeros, ones), 0.1) << "the class matters";
  return worst(mixed, at::where((labels == 1).unsqueeze(1), ones, zeros));
}

TEST(Labels, OfARowDoNotReachOthers) {
  const auto exact = std::make_shared<OfClasses>();
  for (const auto& sampler : std::vector<std::shared_ptr<Sampler>>{
           std::make_shared<Ddim>(), std::make_shared<UniPc>(), std::make_shared<Ancestral>()}) {
    EXPECT_EQ(dependence_on_the_mix(*exact, *sampler, 1, at::kDouble), 0) << sampler->name();
    EXPECT_EQ(dependence_on_the_mix(GuidedDenoiser(exact, 2.5), *sampler, 1, at::kDouble), 0);
  }
}

TEST(Labels, OfANetworkDoNotEither) {
  const auto network = std::make_shared<Mlp>(
      MlpOptions{.dimension = 2, .width = 32, .depth = 2, .embedding_size = 8, .classes = 2}, 3);
  {
    const GradientMode off(false);
    for (const auto& p : network->parameters())
      p.tensor.copy_(Rng(4).stream(p.name).normal({p.tensor.numel()}).reshape(p.tensor.sizes()) * 0.3);
  }
  const auto learned = std::make_shared<LearnedDenoiser>(
      network, DenoiserSpec{.process = VariancePreserving{}, .prediction = Prediction::velocity()});
  ASSERT_NE(learned->frozen(), nullptr);
  EXPECT_LE(dependence_on_the_mix(*learned, DpmPp2M(), 2, at::kFloat), 1e-6);
  EXPECT_LE(dependence_on_the_mix(GuidedDenoiser(learned, 1.5), DpmPp2M(), 2, at::kFloat), 1e-6);
}

// Each class ends in its own law: means and variances within five standard errors and the grid's bias.
TEST(Labels, DrawEachRowFromItsClass) {
  const int64_t n = 16'000;
  const OfClasses denoiser;
  const Tensor labels = mixed_labels(n);
  IntegrateOptions options;
  options.labels = labels;
  const Tensor x = generate(denoiser, Heun(), TimeGrid::uniform_log_snr(denoiser.process(), 40), {n, 1},
                            Rng(3), at::kDouble, options)
                       .x;
  for (const auto& [label, mean, variance] :
       std::vector<std::tuple<int64_t, double, double>>{{0, -1, 0.3}, {1, 1, 0.1}}) {
    const Tensor rows = x.index_select(0, (labels == label).nonzero().flatten());
    const auto count = static_cast<double>(rows.size(0));
    EXPECT_NEAR(average(rows), mean, 5 * std::sqrt(variance / count) + 0.003);
    EXPECT_NEAR(rows.var().item<double>() / variance, 1, 5 * std::sqrt(2 / count) + 0.01);
  }
}

TEST(Labels, AreOnePerRow) {
  const OfClasses denoiser;
  const auto run = [&](const Tensor& labels) {
    integrate(denoiser, Ddim(), TimeGrid::uniform(4), at::zeros({3, 1}, at::kDouble),
              {.observers = {}, .labels = labels});
  };
  EXPECT_THAT([&] { run(at::zeros({2}, at::kLong)); }, message("expected 3 labels, one per row"));
  EXPECT_THAT([&] { run(at::zeros({3})); }, message("(n) int64"));
}

// A term of a linear observation, exact for a Gaussian prior N(0, 1): samples follow the posterior N(y v, v)
// with v = s^2 / (1 + s^2) up to y's scale.
TEST(ScoreTerm, SamplesThePosterior) {
  const double y = 1.2, s2 = 0.25, v = s2 / (1 + s2), mean = y / (1 + s2);
  const GaussianProcess vp{VariancePreserving{}};
  const auto prior = std::make_shared<AnalyticDenoiser>(GaussianMixture::standard_normal(1), vp);
  // x_0 | x_t ~ N(alpha x, sigma^2), so that y | x_t ~ N(alpha x, sigma^2 + s^2).
  const ScoreGuidedDenoiser guided(prior, [&](const Tensor&, const Times& t, const Estimate& estimate) {
    const double a = vp.alpha(t.scalar()), sigma = vp.sigma(t.scalar());
    return a * (y - estimate.denoised()) / (sigma * sigma + s2);
  });
  const int64_t n = 20'000;
  const AnalyticDenoiser posterior(GaussianMixture::gaussian(vector_of({mean}), vector_of({v})), vp);
  const TimeGrid grid = TimeGrid::uniform_log_snr(vp, 30);
  const Tensor start = vp.sample_prior({n, 1}, Rng(3).noise_source(at::kDouble));
  const Tensor few = start.narrow(0, 0, 200);
  for (const auto& sampler : std::vector<std::shared_ptr<Sampler>>{
           std::make_shared<Ddim>(), std::make_shared<Heun>(), std::make_shared<UniPc>()})
    EXPECT_LT(worst(integrate(guided, *sampler, grid, few).x, integrate(posterior, *sampler, grid, few).x),
              1e-9)
        << sampler->name();
  const Tensor x = integrate(guided, Heun(), grid, start).x;
  const auto count = static_cast<double>(n);
  EXPECT_NEAR(average(x), mean, 5 * std::sqrt(v / count) + 0.003);
  EXPECT_NEAR(x.var().item<double>() / v, 1, 5 * std::sqrt(2 / count) + 0.01);
}

}  // namespace
}  // namespace fokker
