#include "fokker/course/problem/small_networks.h"

#include "fokker/objective/chain.h"
#include "fokker/objective/single_level.h"

namespace fokker {

NoiseFit notebook_fit() {
  return {.network = {.dimension = 1,
                      .width = 256,
                      .depth = 4,
                      .activation = "elu",
                      .embedding = "raw",
                      .residual = false},
          .time_input = {.scale = 200, .offset = -1},
          .options = {.steps = 600, .batch = 128, .learning_rate = 4e-3, .ema_decay = 0.98}};
}

std::shared_ptr<const Denoiser> train_noise(const NoiseFit& fit, const GaussianMixture& data,
                                            const GaussianProcess& process, int64_t steps, const Rng& rng) {
  const Tensor rows = data.sample(20'000, rng.stream("rows"));
  Split split{.training = {.values = rows, .columns = {"x"}}, .held_out = {}};
  DenoiserSpec spec{.process = process, .prediction = Prediction::noise()};
  if (fit.network.energy) spec = DenoiserSpec::of_energy(process);
  spec.time_input = fit.time_input;
  Trainer trainer(std::make_unique<Mlp>(fit.network, rng.seed()), spec,
                  std::make_shared<ChainObjective>(
                      ChainObjective::Options{.form = ChainObjective::Form::simple, .steps = steps}),
                  std::move(split), Normalisation::identity({1}), fit.options, rng);
  trainer.run({});
  return make_denoiser(trainer.averaged_network().clone(), spec);
}

std::shared_ptr<const Denoiser> train_toy_score(const Tensor& points, double sigma, const Rng& rng) {
  const double deviation = 5;
  const DenoiserSpec spec{.process = Brownian{.sigma = sigma},
                          .prediction = Prediction::edm(deviation),
                          .scale_input = true,
                          .sigma_data = deviation};
  auto network = std::make_unique<Mlp>(
      MlpOptions{.dimension = 2, .width = 64, .depth = 2, .embedding = "raw"}, rng.seed());
  Trainer trainer(std::move(network), spec, std::make_shared<DenoisingScoreMatching>(1.0),
                  Split{.training = {.values = points}, .held_out = {}}, Normalisation::identity({2}),
                  {.steps = 600, .batch = 256, .learning_rate = 3e-3, .ema_decay = 0.98}, rng);
  trainer.run({});
  return make_denoiser(trainer.averaged_network().clone(), spec);
}

}  // namespace fokker
