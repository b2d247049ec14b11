#include "fokker/course/gallery/workshop.h"

#include "fokker/course/problem/small_networks.h"
#include "fokker/target/toys.h"

namespace fokker::gallery {

GaussianMixture named_mixture(const std::string& name) {
  const auto target = make_target(name);
  return *as_gaussian_mixture(*target);
}

GaussianMixture two_bumps() {
  return {at::tensor({0.3, 0.7}, at::kDouble), at::tensor({-2.0, 1.5}, at::kDouble).unsqueeze(1),
          at::tensor({0.16, 0.64}, at::kDouble)};
}

double reach_of(const GaussianMixture& law) {
  return law.means().abs().max().item<double>();
}

Setting four_points_setting() {
  return Setting::law([] { return course::Laws{named_mixture("four-points")}; }, "four-points",
                      {.points = true, .reach = 30});
}

Setting two_bumps_setting() {
  return Setting::law([] { return course::Laws{two_bumps()}; }, "0.3 N(-2, 0.16) + 0.7 N(1.5, 0.64)");
}

const Denoiser& Workshop::noise_network() {
  std::call_once(noise_trained_, [&] {
    const GradientMode on(true);  // whatever the item that asks computes with
    NoiseFit fit = notebook_fit();
    fit.options.steps = 2500;
    fit.options.batch = 128;
    fit.options.learning_rate = 2e-3;
    fit.options.ema_decay = 0.99;
    noise_network_ = train_noise(fit, notebook_.exact.target(), notebook_.process(), Notebook::steps,
                                 rng_.stream("noise network"));
  });
  return *noise_network_;
}

const Denoiser& Workshop::toy_network() {
  std::call_once(toy_trained_, [&] {
    const GradientMode on(true);
    const Tensor points = named_mixture("two-modes").sample(1280, rng_.stream("toy points"));
    toy_network_ = train_toy_score(points, toy_noise, rng_.stream("toy network"));
  });
  return *toy_network_;
}

}  // namespace fokker::gallery
