// What every objective has in common, on data whose exact denoiser is known.
#include <gtest/gtest.h>

#include "fokker/denoise/energy.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/elbo.h"
#include "fokker/objective/explicit.h"
#include "fokker/objective/implicit.h"
#include "fokker/objective/single_level.h"
#include "mixture_data.h"

namespace fokker {
namespace {

struct NamedObjective {
  std::string name;
  std::shared_ptr<const Objective> objective;
};

std::vector<NamedObjective> all_objectives() {
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
  const Batch batch = batch_of(mixture(), 20'000);
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
    const auto denoiser =
        make_denoiser(network, energy ? DenoiserSpec::of_energy(vp) : DenoiserSpec{.process = vp});
    const Batch batch = batch_of(mixture(), 20);
    Tensor weight = network->parameter("input.weight");
    for (const auto& [name, objective] : all_objectives()) {
      const auto loss = [&] { return objective->loss(*denoiser, batch, Rng(12)).mean(); };
      const double gradient = gradients(loss(), {weight}, false)[0][1][0].item<double>();
      const double difference = central_difference(weight[1][0], loss);
      EXPECT_NEAR(gradient, difference, 1e-5 * (1 + std::abs(difference))) << name << " energy " << energy;
      EXPECT_NE(gradient, 0) << name << " energy " << energy;
    }
  }
}

}  // namespace
}  // namespace fokker
