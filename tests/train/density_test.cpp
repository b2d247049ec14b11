// What a trained model says about densities, as one would use it: a small network, trained for a second.
#include <gtest/gtest.h>

#include "fokker/denoise/energy.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/objective/denoising.h"
#include "fokker/objective/elbo.h"
#include "fokker/target/gaussian_mixture.h"
#include "fokker/train/trainer.h"
#include "support.h"

namespace fokker {
namespace {

class TrainedDensity : public ::testing::Test {
 protected:
  static GaussianMixture data() {
    return GaussianMixture(vector_of({0.3, 0.7}), rows_of({{-1.2, 0.3}, {0.6, -0.4}}), vector_of({0.2, 0.4}));
  }

  /// Trained once for the tests of this suite.
  static const Denoiser& model() {
    static const std::shared_ptr<const Denoiser> trained = [] {
      Split split{.training = {.values = data().sample(8000, Rng(1)),
                               .columns = {"x", "y"},
                               .labels = {},
                               .label_names = {},
                               .source = "mixture"},
                  .held_out = {}};
      Trainer trainer(std::make_unique<Mlp>(MlpOptions{.dimension = 2, .width = 32, .depth = 2}, 2),
                      DenoiserSpec{.process = VariancePreserving{}}, std::make_shared<DenoisingObjective>(),
                      std::move(split), Normalisation::identity({2}),
                      {.steps = 600, .batch = 128, .learning_rate = 4e-3, .ema_decay = 0.98}, Rng(3));
      trainer.run({});
      return make_denoiser(trainer.averaged_network().clone(), trainer.spec());
    }();
    return *trained;
  }

  static Tensor log_density(const Tensor& x) {
    const LikelihoodOptions options{
        .tolerance = {.rtol = 1e-3, .atol = 1e-3}, .block = 256, .type = at::kFloat};
    return log_likelihood(model(), x, options, Rng(4)).log_density;
  }
};

// The flow carries the prior to the data, so its density is one, however well the network has learned: the
// trapezoidal rule on a square that holds all but 1e-5 of the mass.
TEST_F(TrainedDensity, IntegratesToOne) {
  const double step = 0.25;
  const Tensor line = at::arange(-3.5, 3.5 + step / 2, step, at::kDouble);
  const Tensor grid = at::cartesian_prod({line, line});
  const double mass = log_density(grid).exp().sum().item<double>() * step * step;
  EXPECT_NEAR(mass, 1, 0.01);
}

// On data the model has not seen, the chain's bound is below the flow's likelihood: where the network is
// right both models are the data's law, and where it is not, the bound pays for it at every step. The flow's
// likelihood in turn is below the data's own, as that of any model is on average.
TEST_F(TrainedDensity, BoundIsBelowTheLikelihood) {
  const Tensor x = data().sample(400, Rng(5));
  const GradientMode off(false);
  const Tensor flow = log_density(x);
  const Tensor bound = elbo_terms(model(), x.to(at::kFloat), {.steps = 400}, Rng(6)).bound().to(at::kDouble);
  EXPECT_LT(average(bound - flow), four_errors(bound - flow));
  const Tensor excess = flow - data().log_density(x);
  EXPECT_LT(average(excess), four_errors(excess));
  // Neither is far below: what was learned is the data's law.
  EXPECT_GT(average(bound - flow), -0.3);
  EXPECT_GT(average(excess), -0.1);
}

}  // namespace
}  // namespace fokker
