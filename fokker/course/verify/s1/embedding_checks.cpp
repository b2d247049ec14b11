#include <numbers>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/fit.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/time_embedding.h"
#include "fokker/objective/chain.h"

namespace fokker::verify {
namespace {

/// phi_k(t) = sin(2 pi k t / T), and its products averaged over the steps: 1/2 where j = k, else 0.
void formula(const Trial& trial, Evidence& evidence) {
  const int64_t T = trial.settings().integer("steps"), K = 16;
  const Tensor steps = at::arange(1, T + 1, at::kDouble);
  const Tensor phi = fourier_embedding(trial.has("period") ? steps / T : steps, K);
  double error = 0;
  for (const int64_t t : {int64_t{1}, 37 * T / 200, 3 * T / 4})
    for (int64_t k = 1; k <= K; ++k) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(k * t) / T;
      error = std::max(error, std::abs(phi[t - 1][k - 1].item<double>() - std::sin(angle)));
    }
  evidence.equal("largest error of phi at three times", {error}, 0, 1e-11);
  const Tensor products = phi.t().matmul(phi) / T;
  evidence.equal("largest error of the mean products", {largest(products - 0.5 * at::eye(K, at::kDouble))}, 0,
                 1e-11);
}

/// Every sine is zero at T/2 and at T, so the network of the slide cannot tell the two apart; with cosines it
/// can.
void collision(const Trial& trial, Evidence& evidence) {
  const Mlp network({.dimension = 1,
                     .width = 32,
                     .depth = 2,
                     .embedding = trial.has("sines") ? "fourier" : "sinusoidal",
                     .embedding_size = 16,
                     .zero_output = false},
                    trial.rng().seed());
  const Tensor x = trial.rng().normal({100, 1});
  const auto at_time = [&](float t) { return network.forward(x, at::full({1}, t), {}); };
  evidence.equal("largest difference of the outputs at T/2 and T", {largest(at_time(0.5) - at_time(1.0))}, 0,
                 1e-4);
  evidence.at_least("largest difference of the outputs at T/4 and T", {largest(at_time(0.25) - at_time(1.0))},
                    1e-3);
}

/// The same network and training with sines of t/T and with t itself in Ho's chain, on data so narrow that
/// what is to be learnt is a function of the time: how far each stays above the least possible loss, by
/// quadrature, and as its loss on fresh draws says.
void trained(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::linear(1000, 1e-4, 0.02);
  const LineMixture data({1}, {0}, {0.0025});
  const auto excess = [&](bool sines) {
    const NoiseFit fit{.network = {.dimension = 1,
                                   .width = 64,
                                   .depth = 3,
                                   .embedding = sines ? "fourier" : "raw",
                                   .embedding_size = 16,
                                   .residual = false},
                       .time_input = {.scale = sines ? 1.0 : 1000.0},
                       .options = {.steps = 400, .batch = 256, .ema_decay = 0.99}};
    const auto network = train_noise(fit, data.mixture(), chain.process(), chain.steps(), trial.rng());
    const double above = excess_loss(*network, data, chain, 25);
    evidence.equal(std::string("loss on fresh draws, ") + (sines ? "with sines" : "with t"),
                   fresh_loss(*network, data, chain, 25, 2000, trial.rng().stream("fresh")),
                   least_loss(data, chain, 25) + above, 1e-4);
    return above;
  };
  // Over several seeds sines leave 0.04 to 0.1 of what t leaves.
  const double with_sines = excess(trial.has("sines"));
  evidence.at_most("excess loss with sines over that with t", {with_sines / excess(false)}, 0.5);
}

}  // namespace

void add_s1_embedding(Checks& checks) {
  checks.push_back({.id = "s1.model.embedding",
                    .source = "S1, practical models",
                    .statement = "phi_k(t) = sin(2 pi k t / T), and the phi_k are orthogonal over the steps",
                    .measure = formula,
                    .ingredients = {{"period", "t is not divided by T"}},
                    .settings = {Setting::integer("steps", 200, 50, 5000, "T")}});
  checks.push_back({.id = "s1.model.embedding-collision",
                    .source = "S1, practical models",
                    .statement = "With sines alone the network says the same at T/2 and at T",
                    .measure = collision,
                    .ingredients = {{"sines", "the embedding has cosines too"}}});
  checks.push_back({.id = "s1.model.embedding-trained",
                    .source = "S1, practical models",
                    .statement = "A network with the embedding learns better than one with t itself",
                    .measure = trained,
                    .ingredients = {{"sines", "both networks see t itself"}}});
}

}  // namespace fokker::verify
