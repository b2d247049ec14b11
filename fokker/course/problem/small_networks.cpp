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
          .denoiser = {.time_input = {.scale = 200, .offset = -1}},
          .options = {.steps = 600, .batch = 128, .learning_rate = 4e-3, .ema_decay = 0.98}};
}

std::shared_ptr<const Denoiser> train_noise(const NoiseFit& fit, const GaussianMixture& data,
                                            const GaussianProcess& process, int64_t steps, const Rng& rng) {
  const Tensor rows = data.sample(20'000, rng.stream("rows"));
  Split split{.training = {.values = rows, .columns = {"x"}}, .held_out = {}};
  Trainer trainer(std::make_unique<Mlp>(fit.network, rng.seed()), process, Prediction::noise(), fit.denoiser,
                  std::make_shared<ChainObjective>(
                      ChainObjective::Options{.form = ChainObjective::Form::simple, .steps = steps}),
                  std::move(split), Normalisation::identity({1}), fit.options, rng);
  trainer.run({});
  return make_denoiser(std::shared_ptr<const Network>(trainer.averaged_network().clone()), process,
                       Prediction::noise(), fit.denoiser);
}

std::shared_ptr<const Denoiser> train_toy_score(const Tensor& points, double sigma, const Rng& rng) {
  const double deviation = 5;
  const GaussianProcess process = Brownian{.sigma = sigma};
  const Prediction prediction = Prediction::edm(deviation);
  const LearnedDenoiser::Options feeding{.time_input = {}, .scale_input = true, .sigma_data = deviation};
  auto network = std::make_unique<Mlp>(
      MlpOptions{.dimension = 2, .width = 64, .depth = 2, .embedding = "raw"}, rng.seed());
  Trainer trainer(std::move(network), process, prediction, feeding,
                  std::make_shared<DenoisingScoreMatching>(1.0),
                  Split{.training = {.values = points}, .held_out = {}}, Normalisation::identity({2}),
                  {.steps = 600, .batch = 256, .learning_rate = 3e-3, .ema_decay = 0.98}, rng);
  trainer.run({});
  return make_denoiser(std::shared_ptr<const Network>(trainer.averaged_network().clone()), process,
                       prediction, feeding);
}

}  // namespace fokker
