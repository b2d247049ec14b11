// Every objective, on data whose exact denoiser is known.
#include <gtest/gtest.h>

#include <numbers>

#include "fokker/core/error.h"
#include "fokker/denoise/analytic.h"
#include "fokker/denoise/energy.h"
#include "fokker/nn/mlp.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/elbo.h"
#include "fokker/objective/explicit.h"
#include "fokker/objective/single_level.h"
#include "support.h"

namespace fokker {
namespace {

constexpr int64_t rows = 20'000;

GaussianMixture mixture() {
  return GaussianMixture(vector_of({0.3, 0.7}), rows_of({{-1, 0.5}, {1, -0.5}}), vector_of({0.2, 0.4}));
}
GaussianProcess process(const char* spec) {
  return GaussianProcess(make_schedule(spec));
}

Batch batch_of(const GaussianMixture& target, int64_t n = rows, uint32_t step = 3) {
  return {.x0 = target.sample(n, Rng(11)), .label = {}, .step = step};
}

/// The exact noise prediction plus theta sin(x + 1): the truth at theta = 0.
FunctionDenoiser perturbed(const AnalyticDenoiser& exact, const Tensor& theta) {
  return FunctionDenoiser(
      [&exact, theta](const Tensor& x, const Times& t) {
        return exact.estimate(x, t).noise() + theta * at::sin(x + 1);
      },
      exact.process(), Prediction::noise());
}

double average(const Tensor& x) {
  return x.mean().item<double>();
}
double four_errors(const Tensor& x) {
  return 4 * x.std().item<double>() / std::sqrt(static_cast<double>(x.numel()));
}

struct Case {
  std::string name;
  std::shared_ptr<const Objective> objective;
};

std::vector<Case> all_objectives() {
  using Form = ChainObjective::Form;
  const auto chain = [](Form form) {
    return std::make_shared<ChainObjective>(ChainObjective::Options{.form = form, .steps = 20});
  };
  return {{"explicit", std::make_shared<ExplicitObjective>(mixture())},
          {"implicit", std::make_shared<ImplicitObjective>()},
          {"sliced", std::make_shared<SlicedObjective>()},
          {"sliced gaussian", std::make_shared<SlicedObjective>(SlicedObjective::Options{
                                  .directions = SlicedObjective::Directions::gaussian, .projections = 2})},
          {"single level", std::make_shared<DenoisingScoreMatching>(0.4)},
          {"autoencoder", std::make_shared<DenoisingAutoencoder>(0.4)},
          {"path likelihood", chain(Form::path_likelihood)},
          {"mean matching", chain(Form::mean_matching)},
          {"weighted noise", chain(Form::weighted_noise)},
          {"simple", chain(Form::simple)},
          {"elbo", std::make_shared<ElboObjective>(ElboObjective::Options{.bound = {.steps = 20}})},
          {"elbo posterior", std::make_shared<ElboObjective>(ElboObjective::Options{
                                 .bound = {.steps = 20, .variance = ElboOptions::Variance::posterior}})}};
}

/// Losses with the same draws at theta = -d, 0, d: their difference and curvature with Monte Carlo errors.
TEST(Objectives, AreLeastAtTheExactDenoiser) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const Batch batch = batch_of(mixture());
  const double d = 0.2;
  for (const auto& [name, objective] : all_objectives()) {
    const auto loss = [&](double theta) {
      const GradientMode off(false);
      return objective->loss(perturbed(exact, at::full({1}, theta, at::kDouble)), batch, Rng(12));
    };
    const Tensor low = loss(-d), truth = loss(0), high = loss(d);
    EXPECT_EQ(truth.dim(), 1) << name;
    EXPECT_FALSE(truth.requires_grad()) << name;
    const Tensor slope = (high - low) / (2 * d), curvature = (high - 2 * truth + low) / (d * d);
    EXPECT_NEAR(average(slope), 0, four_errors(slope)) << name;
    // The loss is quadratic in theta, so a minimum means that half its curvature is positive beyond doubt.
    EXPECT_GT(average(curvature), 5 * four_errors(curvature)) << name;
    EXPECT_LT(average(truth), average(low)) << name;
    EXPECT_LT(average(truth), average(high)) << name;
  }
}

TEST(Objectives, HaveTheGradientOfTheirValue) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const Batch batch = batch_of(mixture(), 50);
  for (const auto& [name, objective] : all_objectives()) {
    const auto loss = [&](const Tensor& theta) {
      return objective->loss(perturbed(exact, theta), batch, Rng(12)).sum();
    };
    const Tensor theta = at::full({1}, 0.3, at::kDouble).requires_grad_();
    const double gradient = gradients(loss(theta), {theta}, false)[0].item<double>();
    const GradientMode off(false);
    const double h = 1e-4;
    const double difference =
        (loss(at::full({1}, 0.3 + h, at::kDouble)) - loss(at::full({1}, 0.3 - h, at::kDouble)))
            .item<double>() /
        (2 * h);
    EXPECT_NEAR(gradient, difference, 1e-6 * (1 + std::abs(difference))) << name;
  }
}

// A network and an energy learn under each: gradients in the weights are those of differences.
TEST(Objectives, TrainNetworksAndEnergies) {
  const GaussianProcess vp = process("vp");
  for (const bool energy : {false, true}) {
    auto network = std::make_shared<Mlp>(MlpOptions{.dimension = 2,
                                                    .width = 10,
                                                    .depth = 1,
                                                    .embedding_size = 8,
                                                    .zero_output = false,
                                                    .energy = energy},
                                         2);
    network->to(at::kCPU, at::kDouble);
    network->set_requires_grad(true);
    const auto denoiser = make_denoiser(network, vp, Prediction::velocity(), {.energy = energy});
    const Batch batch = batch_of(mixture(), 20);
    Tensor weight = network->parameter("input.weight");
    for (const auto& [name, objective] : all_objectives()) {
      const auto loss = [&] { return objective->loss(*denoiser, batch, Rng(12)).mean(); };
      const double gradient = gradients(loss(), {weight}, false)[0][1][0].item<double>();
      const GradientMode off(false);
      Tensor element = weight[1][0];
      const double before = element.item<double>(), h = 1e-5;
      element.fill_(before + h);
      const double up = loss().item<double>();
      element.fill_(before - h);
      const double down = loss().item<double>();
      element.fill_(before);
      const double difference = (up - down) / (2 * h);
      EXPECT_NEAR(gradient, difference, 1e-5 * (1 + std::abs(difference))) << name << " energy " << energy;
      EXPECT_NE(gradient, 0) << name << " energy " << energy;
    }
  }
}

TEST(ExplicitObjective, IsZeroAtTheExactDenoiserAndTheGapElsewhere) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const Batch batch = batch_of(mixture(), 500);
  const ExplicitObjective objective(mixture());
  EXPECT_LT(objective.loss(exact, batch, Rng(1)).abs().max().item<double>(), 1e-16);
  // A noise prediction off by a constant c in each coordinate: loss c^2 at every row.
  const FunctionDenoiser off(
      [&](const Tensor& x, const Times& t) { return exact.estimate(x, t).noise() + 0.3; }, exact.process(),
      Prediction::noise());
  EXPECT_LT(worst(objective.loss(off, batch, Rng(1)), at::full({1}, 0.09, at::kDouble)), 1e-10);
}

// 4.2 and 4.3 differ by E|sigma s|^2/d across levels too, with the same draws.
TEST(ImplicitObjective, IsTheExplicitOneLessAConstant) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const Batch batch = batch_of(mixture(), 100'000);
  const FunctionDenoiser other([](const Tensor& x, const Times&) { return 0.4 * x + 0.2 * at::sin(3 * x); },
                               exact.process(), Prediction::noise());
  const GradientMode off(false);
  const auto gap = [&](const Denoiser& denoiser) {
    return ExplicitObjective(mixture()).loss(denoiser, batch, Rng(1)) -
           ImplicitObjective().loss(denoiser, batch, Rng(1));
  };
  const Tensor difference = gap(other) - gap(exact);
  EXPECT_NEAR(average(difference), 0, four_errors(difference));
  EXPECT_GT(average(ExplicitObjective(mixture()).loss(other, batch, Rng(1))), 0.1);
}

// S3, section 2.4: r*(x) = x + sigma^2 grad log p(x) beats any other, and the loss there is E Var(x_0 | x).
TEST(DenoisingAutoencoder, OptimumIsTweediesFormula) {
  const GaussianProcess ve = process("ve:sigma_min=0.5,sigma_max=0.6");
  const GaussianMixture target = GaussianMixture::gaussian(vector_of({1.0}), vector_of({0.7}));
  const double t = 0.5, s2 = std::pow(ve.sigma(t), 2);
  const GaussianMixture noised = target.noised(1, ve.sigma(t));
  const FunctionDenoiser tweedie([&](const Tensor& x, const Times&) { return x + s2 * noised.score(x); }, ve,
                                 Prediction::data());
  const Tensor loss = DenoisingAutoencoder(t).loss(tweedie, batch_of(target, 100'000), Rng(2));
  EXPECT_NEAR(average(loss), 0.7 * s2 / (0.7 + s2), four_errors(loss));
  for (const double factor : {0.8, 1.2}) {
    const FunctionDenoiser other(
        [&](const Tensor& x, const Times&) { return x + factor * s2 * noised.score(x); }, ve,
        Prediction::data());
    EXPECT_GT(average(DenoisingAutoencoder(t).loss(other, batch_of(target, 100'000), Rng(2))),
              average(loss) + 0.002);
  }
}

TEST(DenoisingScoreMatchingObjective, IsEquation44AtItsLevel) {
  const AnalyticDenoiser exact(mixture(), process("ve"));
  const double t = 0.6, sigma = exact.process().sigma(t);
  const Batch batch = batch_of(mixture(), 100);
  const Tensor noise = batch_noise(batch, Rng(2));
  const auto score = [&](const Tensor& x) { return exact.marginal(t).score(x); };
  EXPECT_LT(worst(DenoisingScoreMatching(t).loss(exact, batch, Rng(2)),
                  denoising_score_matching(score, batch.x0, noise, sigma)),
            1e-10);
  EXPECT_THROW(DenoisingScoreMatching(0.0).loss(AnalyticDenoiser(mixture(), process("vp")), batch, Rng(2)),
               Error);
}

ChainObjective chain(ChainObjective::Form form, int64_t steps = 0) {
  return ChainObjective({.form = form, .steps = steps});
}

// S1 step 3: the squared gap of means is beta^2/((1 - beta)(1 - alphabar)) |eps - eps_theta|^2, row by row.
TEST(ChainObjective, MeanMatchingIsTheWeightedNoiseLoss) {
  const GaussianProcess ddpm = process("ddpm");
  const AnalyticDenoiser exact(mixture(), ddpm);
  const FunctionDenoiser model = perturbed(exact, at::full({1}, 0.5, at::kDouble));
  const Batch batch = batch_of(mixture(), 8);
  const Tensor steps = vector_of({1, 2, 3, 10, 100, 500, 999, 1000});
  const Tensor means = chain(ChainObjective::Form::mean_matching).loss_at(model, batch, steps, Rng(3));
  const Tensor weighted = chain(ChainObjective::Form::weighted_noise).loss_at(model, batch, steps, Rng(3));
  const Tensor simple = chain(ChainObjective::Form::simple).loss_at(model, batch, steps, Rng(3));
  EXPECT_LT(((means - weighted) / weighted).abs().max().item<double>(), 1e-9);
  double alpha_bar = 1;
  for (int64_t i = 1, row = 0; i <= 1000; ++i) {
    const double beta = 1e-4 + (0.02 - 1e-4) * static_cast<double>(i - 1) / 999;
    alpha_bar *= 1 - beta;
    if (i != static_cast<int64_t>(steps[row].item<double>())) continue;
    const double factor = 1000 * beta / (2 * (1 - beta) * (1 - alpha_bar));
    EXPECT_NEAR(weighted[row].item<double>() / simple[row].item<double>() / factor, 1, 1e-9) << i;
    ++row;
  }
}

// S1 steps 1 and 2: integrating x_{t-1} out of the path likelihood leaves mean matching and a constant.
TEST(ChainObjective, PathLikelihoodIsMeanMatchingPlusAConstant) {
  const int64_t n = 10, copies = 20'000, i = 4;
  const GaussianProcess vp = process("vp");
  const AnalyticDenoiser exact(mixture(), vp);
  const FunctionDenoiser model = perturbed(exact, at::full({1}, 0.3, at::kDouble));
  const Batch batch = batch_of(mixture(), copies);
  const Tensor steps = at::full({copies}, static_cast<double>(i), at::kDouble);
  const Tensor path = chain(ChainObjective::Form::path_likelihood, n).loss_at(model, batch, steps, Rng(3));
  const Tensor means = chain(ChainObjective::Form::mean_matching, n).loss_at(model, batch, steps, Rng(3));
  const double beta = vp.transition(0.3, 0.4).variance, tilde = vp.posterior(0.3, 0.4).variance;
  // Per dimension: N (log sqrt(2 pi beta) + beta-tilde/(2 beta)), and -log p(x_T) of N(0, 1).
  const double a = vp.alpha(1), s = vp.sigma(1), tau = 2 * std::numbers::pi;
  const Tensor prior = (a * a * batch.x0.square() + s * s).sum(1) / 4 + 0.5 * std::log(tau);
  const double constant = 10 * (0.5 * std::log(tau * beta) + tilde / (2 * beta));
  const Tensor gap = path - means - prior;
  EXPECT_NEAR(average(gap), constant, four_errors(gap));
}

TEST(ChainObjective, AveragesOverItsSteps) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const FunctionDenoiser model = perturbed(exact, at::full({1}, 0.3, at::kDouble));
  for (const auto form : {ChainObjective::Form::mean_matching, ChainObjective::Form::simple}) {
    const ChainObjective objective = chain(form, 8);
    const Batch batch = batch_of(mixture(), 80'000);
    double sum = 0, error = 0;
    for (int64_t i = 1; i <= 8; ++i) {
      const Tensor one =
          objective.loss_at(model, batch, at::full({80'000}, static_cast<double>(i), at::kDouble), Rng(4));
      sum += average(one) / 8;
      error += four_errors(one) / 8;
    }
    const Tensor random = objective.loss(model, batch, Rng(5));
    EXPECT_NEAR(average(random), sum, error + four_errors(random));
  }
}

// For data N(0, I) the reverse chain with variance beta is exact, so the bound is the likelihood itself, row
// by row.
TEST(Elbo, IsTightForTheStandardNormal) {
  const GaussianMixture target = GaussianMixture::standard_normal(1);
  const AnalyticDenoiser exact(target, process("vp"));
  const int64_t copies = 40'000;
  const Tensor points = vector_of({-1.5, 0.0, 0.7});
  const Tensor x0 = points.repeat_interleave(copies).reshape({-1, 1});
  const ElboTerms terms =
      elbo_terms(exact, x0, {.steps = 12, .variance = ElboOptions::Variance::transition}, Rng(5));
  EXPECT_EQ(terms.times.size(), 12u);
  EXPECT_EQ(terms.divergences.size(0), 11);
  const Tensor bound = terms.bound().reshape({3, copies}), truth = target.log_density(points.reshape({3, 1}));
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_NEAR(average(bound[i]), truth[i].item<double>(), four_errors(bound[i])) << i;
  EXPECT_LT(four_errors(bound[0]), 0.06);
}

TEST(Elbo, LiesBelowTheLikelihoodAndApproachesIt) {
  const GaussianMixture target = mixture();
  const AnalyticDenoiser exact(target, process("vp"));
  const Tensor x0 = target.sample(2000, Rng(6));
  const Tensor truth = target.log_density(x0);
  std::vector<double> gaps;
  for (const int64_t steps : {16, 64, 256}) {
    const Tensor gap = truth - elbo_terms(exact, x0, {.steps = steps}, Rng(7)).bound();
    EXPECT_GT(average(gap), -four_errors(gap)) << steps;
    gaps.push_back(average(gap));
  }
  EXPECT_GT(gaps[0], 1.5 * gaps[1]);
  EXPECT_GT(gaps[1], 1.5 * gaps[2]);
  EXPECT_LT(gaps[2], 0.1);
}

// One data point: the posterior is the reverse chain, so with its variance every divergence is zero; beta
// costs some.
TEST(Elbo, DivergencesVanishForOnePointWithThePosteriorsVariance) {
  const Tensor point = rows_of({{0.3, -1.0}});
  const AnalyticDenoiser exact(GaussianMixture::empirical(point), process("vp"));
  const auto divergences = [&](ElboOptions::Variance variance) {
    return elbo_terms(exact, point, {.steps = 20, .variance = variance}, Rng(1)).divergences;
  };
  EXPECT_LT(divergences(ElboOptions::Variance::posterior).abs().max().item<double>(), 1e-12);
  const Tensor looser = divergences(ElboOptions::Variance::transition);
  EXPECT_GT(looser.min().item<double>(), 0);
  EXPECT_GT(looser[0].item<double>(), 0.01);
}

// The KL terms are those of two Gaussians, and a worse denoiser has larger ones at every time.
TEST(Elbo, TermsAreGaussianDivergences) {
  const GaussianProcess vp = process("vp");
  const auto times = elbo_times(vp, 10);
  const double gap = 0.7;  // |x_0 - D|
  for (size_t i = 1; i < times.size(); ++i)
    for (const auto variance : {ElboOptions::Variance::posterior, ElboOptions::Variance::transition}) {
      const auto back = vp.posterior(times[i - 1], times[i]);
      const double q = back.variance;
      const double p =
          variance == ElboOptions::Variance::posterior ? q : vp.transition(times[i - 1], times[i]).variance;
      // Integrated numerically: E_q log q/p for means apart by data |x_0 - D|.
      const double shift = back.data * gap, deviation = std::sqrt(q);
      double kl = 0;
      const int points = 4000;
      for (int k = 0; k < points; ++k) {
        const double z = -9 + 18 * (k + 0.5) / points, x = z * deviation;
        const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
        const double log_ratio = 0.5 * std::log(p / q) - 0.5 * z * z + 0.5 * (x - shift) * (x - shift) / p;
        kl += density * log_ratio * 18 / points;
      }
      const ElboTerm term = elbo_term(vp, times, i, variance);
      EXPECT_NEAR(term.error * gap * gap + term.constant, kl, 1e-6 * (1 + kl)) << i;
    }
}

// The chain's prior term: KL(N(alpha x_0, sigma^2) || N(0, v)), by hand at one point.
TEST(Elbo, PriorTermIsTheDivergenceToThePrior) {
  const GaussianProcess p = process("vp:beta_max=2");
  const double a = p.alpha(1), s = p.sigma(1), x = 1.3;
  const double expected = -std::log(s) + 0.5 * (s * s + a * a * x * x) - 0.5;
  EXPECT_NEAR(elbo_prior(p, at::full({1, 1}, x, at::kDouble)).item<double>(), expected, 1e-12);
}

TEST(Elbo, ObjectiveIsTheNegativeBoundPerDimension) {
  for (const char* spec : {"vp", "ve:sigma_max=5"}) {
    const AnalyticDenoiser exact(mixture(), process(spec));
    const Batch batch = batch_of(mixture(), 60'000);
    const ElboOptions options{.steps = 6};
    const Tensor loss = ElboObjective({.bound = options}).loss(exact, batch, Rng(8));
    const Tensor bound = elbo_terms(exact, batch.x0, options, Rng(9)).bound() / 2;
    EXPECT_NEAR(average(loss), -average(bound), four_errors(loss) + four_errors(bound)) << spec;
  }
}

// A process that is noisy at t = 0 has its reconstruction there.
TEST(Elbo, BeginsAtZeroWhereTheProcessIsNoisyThere) {
  EXPECT_EQ(elbo_times(process("ve"), 4), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(elbo_times(process("vp"), 4), (std::vector<double>{0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(elbo_times(process("ddpm"), 0).size(), 1000u);
  EXPECT_THROW(elbo_times(process("vp"), -1), Error);
}

}  // namespace
}  // namespace fokker
