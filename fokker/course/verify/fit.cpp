#include "fokker/course/verify/fit.h"

#include "fokker/course/verify/quadrature.h"

namespace fokker::verify {
namespace {

/// The mean over every so many steps of E[value(x_t, E[eps | x_t], t)], nodes where the law of x_t has its
/// mass.
double mean_over_steps(const LineMixture& data, const ChainTable& chain, int64_t every,
                       const std::function<Tensor(const Line& nodes, const Tensor& noise, double t)>& value) {
  double sum = 0;
  for (int64_t i = every; i <= chain.steps(); i += every) {
    const double alpha = std::sqrt(chain.alphabar(i)), sigma = chain.sigma(i);
    const double reach = alpha * (std::abs(data.mean()) + 4 * std::sqrt(data.variance())) + 8 * sigma;
    const Line nodes = line(-reach, reach, 800);
    const Tensor density = data.log_density(nodes.x, alpha, sigma).exp();
    sum += nodes.integral(density * value(nodes, data.noise(nodes.x, alpha, sigma), chain.time(i)));
  }
  const int64_t terms = chain.steps() / every;
  return sum / static_cast<double>(terms);
}

}  // namespace

double excess_loss(const Denoiser& denoiser, const LineMixture& data, const ChainTable& chain,
                   int64_t every) {
  const GradientMode off(false);
  return mean_over_steps(data, chain, every, [&](const Line& nodes, const Tensor& noise, double t) {
    const Tensor learned = denoiser.estimate(nodes.states().to(at::kFloat), t).noise().to(at::kDouble);
    return (learned.flatten() - noise).square();
  });
}

Statistic fresh_loss(const Denoiser& denoiser, const LineMixture& data, const ChainTable& chain,
                     int64_t every, int64_t n, const Rng& rng) {
  const GradientMode off(false);
  Tensor sum = at::zeros({n}, at::kDouble);
  for (int64_t i = every; i <= chain.steps(); i += every) {
    const Rng own = rng.stream(static_cast<uint64_t>(i));
    const Tensor eps = own.stream("noise").normal({n, 1}, {}, at::kDouble);
    const Tensor x =
        chain.process().perturb(data.mixture().sample(n, own.stream("data")), eps, chain.time(i));
    const Tensor learned = denoiser.estimate(x.to(at::kFloat), chain.time(i)).noise().to(at::kDouble);
    sum += (learned - eps).square().squeeze(1);
  }
  const int64_t levels = chain.steps() / every;
  return mean_of(sum / static_cast<double>(levels));
}

double least_loss(const LineMixture& data, const ChainTable& chain, int64_t every) {
  return mean_over_steps(data, chain, every,
                         [](const Line&, const Tensor& noise, double) { return 1 - noise.square(); });
}

}  // namespace fokker::verify
