#include "fokker/denoise/energy.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/denoise/analytic.h"
#include "fokker/nn/mlp/mlp.h"
#include "support.h"

namespace fokker {
namespace {

std::shared_ptr<Mlp> energy_network(const std::string& activation = "silu", bool residual = true) {
  auto network = std::make_shared<Mlp>(MlpOptions{.dimension = 2,
                                                  .width = 12,
                                                  .depth = 2,
                                                  .activation = activation,
                                                  .embedding_size = 8,
                                                  .residual = residual,
                                                  .zero_output = false,
                                                  .energy = true},
                                       4);
  network->to(at::kCPU, at::kDouble);
  network->set_requires_grad(false);
  return network;
}

Tensor points(int64_t n = 5) {
  return Rng(8).normal({n, 2}, {}, at::kDouble) * 1.5;
}

/// Central differences of f at x, one coordinate at a time.
template <typename F>
Tensor finite_difference(F f, const Tensor& x, double h = 1e-5) {
  std::vector<Tensor> columns;
  for (int64_t i = 0; i < x.size(1); ++i) {
    const Tensor step = at::zeros_like(x);
    step.select(1, i).fill_(h);
    columns.push_back((f(x + step) - f(x - step)) / (2 * h));
  }
  return at::stack(columns, 1);
}

TEST(EnergyDenoiser, ScoreIsMinusTheGradientOfTheEnergy) {
  const GradientMode off(false);
  for (const char* spec : {"vp", "ve", "flow"})
    for (const char* activation : {"silu", "elu", "tanh", "softplus", "gelu"})
      for (const bool residual : {true, false}) {
        const EnergyDenoiser denoiser(energy_network(activation, residual),
                                      DenoiserSpec::of_energy(make_schedule(spec), 0.7));
        for (const double t : {0.1, 0.5, 0.9}) {
          const Tensor x = points();
          const Tensor expected =
              -finite_difference([&](const Tensor& y) { return denoiser.energy(y, t); }, x);
          const Tensor score = denoiser.estimate(x, t).score();
          EXPECT_LT(worst(score, expected), 1e-6 * (1 + expected.abs().max().item<double>()))
              << spec << " " << activation << " " << t;
          EXPECT_FALSE(score.requires_grad());
        }
      }
}

TEST(EnergyDenoiser, TimesPerRowAgreeWithOneTime) {
  const EnergyDenoiser denoiser(energy_network(), DenoiserSpec::of_energy(VariancePreserving{}));
  const Tensor x = points(3), times = vector_of({0.2, 0.5, 0.8});
  const Tensor score = denoiser.estimate(x, Times(times)).score(), energy = denoiser.energy(x, Times(times));
  for (int64_t i = 0; i < 3; ++i) {
    const Tensor row = x.narrow(0, i, 1);
    const double t = times[i].item<double>();
    EXPECT_LT(worst(denoiser.estimate(row, t).score(), score.narrow(0, i, 1)), 1e-12);
    EXPECT_LT(worst(denoiser.energy(row, t), energy.narrow(0, i, 1)), 1e-12);
  }
}

// The last layer starts at zero: the energy is that of N(0, sd^2 I) at every time.
TEST(EnergyDenoiser, OfAZeroNetworkIsTheGaussians) {
  const GaussianProcess vp(VariancePreserving{});
  auto network = std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 8, .depth = 1, .energy = true}, 1);
  network->to(at::kCPU, at::kDouble);
  const EnergyDenoiser denoiser(network, DenoiserSpec::of_energy(vp, 0.5));
  const AnalyticDenoiser exact(
      GaussianMixture::gaussian(at::zeros({2}, at::kDouble), at::full({2}, 0.25, at::kDouble)), vp);
  const Tensor x = points();
  for (const double t : {0.01, 0.4, 1.0}) {
    EXPECT_LT(worst(denoiser.estimate(x, t).score(), exact.estimate(x, t).score()), 1e-10);
    // Equal up to one constant at each time.
    const Tensor gap = denoiser.energy(x, t) + exact.marginal(t).log_density(x);
    EXPECT_LT(worst(gap, gap[0].expand_as(gap)), 1e-10);
  }
}

// A loss of the score differentiates the network twice: its gradient in each parameter against differences.
TEST(EnergyDenoiser, DoubleBackwardGivesTheGradientOfALossOfTheScore) {
  for (const char* activation : {"silu", "elu", "tanh"}) {
    const auto network = energy_network(activation);
    network->set_requires_grad(true);
    const EnergyDenoiser denoiser(network, DenoiserSpec::of_energy(VariancePreserving{}));
    const Tensor x = points(4), weight = Rng(3).normal({4, 2}, {}, at::kDouble);
    const auto loss = [&] { return (denoiser.estimate(x, 0.3).score() - weight).square().sum(); };
    for (const char* name :
         {"input.weight", "blocks.1.linear_1.weight", "time_embedding.linear_2.bias", "output.weight"}) {
      const Tensor parameter = network->parameter(name);
      const Tensor gradient = gradients(loss(), {parameter}, false)[0];
      for (const int64_t i : {int64_t{0}, parameter.numel() / 2, parameter.numel() - 1}) {
        const double difference = central_difference(parameter.view({-1})[i], loss);
        EXPECT_NEAR(gradient.view({-1})[i].item<double>(), difference, 1e-6 * (1 + std::abs(difference)))
            << activation << " " << name << " " << i;
      }
    }
  }
}

// The constant of an energy has no score, so its parameter has no gradient.
TEST(EnergyDenoiser, IsDefinedUpToAConstant) {
  const auto network = energy_network();
  const EnergyDenoiser denoiser(network, DenoiserSpec::of_energy(VariancePreserving{}));
  const Tensor x = points(), before = denoiser.estimate(x, 0.3).score(), energy = denoiser.energy(x, 0.3);
  Tensor bias = network->parameter("output.bias");
  bias.add_(3.0);
  EXPECT_EQ(worst(denoiser.estimate(x, 0.3).score(), before), 0);
  const Tensor moved = denoiser.energy(x, 0.3) - energy;
  EXPECT_LT(worst(moved, moved[0].expand_as(moved)), 1e-12);
  EXPECT_GT(moved.abs().min().item<double>(), 0.1);
}

TEST(EnergyDenoiser, RecordsOnlyWhereAskedTo) {
  const auto network = energy_network();
  const EnergyDenoiser denoiser(network, DenoiserSpec::of_energy(VariancePreserving{}));
  EXPECT_FALSE(denoiser.estimate(points(), 0.3).score().requires_grad()) << "nothing to train";
  network->set_requires_grad(true);
  EXPECT_TRUE(denoiser.estimate(points(), 0.3).score().requires_grad());
  const GradientMode off(false);
  EXPECT_FALSE(denoiser.estimate(points(), 0.3).score().requires_grad());
}

// The score's Jacobian is minus the energy's Hessian, hence symmetric: a derivative through x.
TEST(EnergyDenoiser, DerivativesThroughXAreTheHessian) {
  const EnergyDenoiser denoiser(energy_network(), DenoiserSpec::of_energy(VariancePreserving{}));
  const Tensor x = points().requires_grad_();
  const Tensor score = denoiser.estimate(x, 0.3).score();
  const Tensor row0 = gradients(score.select(1, 0), {x}, true)[0],
               row1 = gradients(score.select(1, 1), {x}, true)[0];
  EXPECT_LT(worst(row0.select(1, 1), row1.select(1, 0)), 1e-12);
  const Tensor at_x = x.detach();
  const Tensor expected = finite_difference(
      [&](const Tensor& y) { return denoiser.estimate(y, 0.3).score().select(1, 0); }, at_x);
  EXPECT_LT(worst(row0.detach(), expected), 1e-6);
}

TEST(MakeDenoiser, FollowsTheOptions) {
  const GaussianProcess vp(VariancePreserving{});
  const auto energy = make_denoiser(energy_network(), DenoiserSpec::of_energy(vp));
  EXPECT_NE(dynamic_cast<EnergyDenoiser*>(energy.get()), nullptr);
  const auto plain = std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 8, .depth = 1}, 1);
  const DenoiserSpec noise{.process = vp, .prediction = Prediction::noise()};
  EXPECT_NE(dynamic_cast<LearnedDenoiser*>(make_denoiser(plain, noise).get()), nullptr);
  EXPECT_THROW(LearnedDenoiser(plain, DenoiserSpec::of_energy(vp)), Error);
  EXPECT_THROW(EnergyDenoiser(energy_network(), noise), Error);
  // A network of predictions is not an energy.
  try {
    EnergyDenoiser(plain, DenoiserSpec::of_energy(vp)).estimate(at::zeros({3, 2}), 0.5);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("one number per row"), std::string::npos) << error.what();
  }
}

TEST(DenoiserLaw, IsThatOfTheEnergy) {
  const auto shared =
      std::make_shared<const EnergyDenoiser>(energy_network(), DenoiserSpec::of_energy(VariancePreserving{}));
  const EnergyDenoiser& denoiser = *shared;
  const DenoiserLaw law(shared, 0.4, 2), scores_only(std::shared_ptr<const Denoiser>(shared), 0.4, 2);
  const Tensor x = points();
  EXPECT_TRUE(law.has_density());
  EXPECT_EQ(worst(law.log_density(x), -denoiser.energy(x, 0.4)), 0);
  EXPECT_EQ(worst(law.score(x), denoiser.estimate(x, 0.4).score()), 0);
  EXPECT_FALSE(scores_only.has_density());
  EXPECT_THROW(scores_only.log_density(x), Error);
  EXPECT_THROW(DenoiserLaw(shared, 0.0, 2), Error) << "sigma = 0";
}

}  // namespace
}  // namespace fokker
