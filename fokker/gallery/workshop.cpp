#include "fokker/gallery/workshop.h"

#include "fokker/target/toys.h"
#include "fokker/train/small_networks.h"

namespace fokker::gallery {

GaussianMixture named_mixture(const std::string& name) {
  const auto target = make_target(name);
  return *as_gaussian_mixture(*target);
}

GaussianMixture two_bumps() {
  return {at::tensor({0.3, 0.7}, at::kDouble), at::tensor({-2.0, 1.5}, at::kDouble).unsqueeze(1),
          at::tensor({0.16, 0.64}, at::kDouble)};
}

const Denoiser& Workshop::noise_network() {
  if (!noise_network_) {
    NoiseFit fit = notebook_fit();
    fit.options.steps = 4000;
    fit.options.batch = 256;
    fit.options.learning_rate = 2e-3;
    fit.options.ema_decay = 0.995;
    noise_network_ = train_noise(fit, notebook_.exact.target(), notebook_.process(), Notebook::steps,
                                 rng_.stream("noise network"));
  }
  return *noise_network_;
}

const Tensor& Workshop::toy_points() {
  if (!toy_points_.defined())
    toy_points_ = named_mixture("two-modes").sample(1280, rng_.stream("toy points"));
  return toy_points_;
}

const Denoiser& Workshop::toy_network() {
  if (!toy_network_) toy_network_ = train_toy_score(toy_points(), toy_noise, rng_.stream("toy network"));
  return *toy_network_;
}

}  // namespace fokker::gallery
