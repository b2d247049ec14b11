#include "fokker/condition/method/tds.h"

#include "fokker/condition/method/pigdm.h"
#include "fokker/condition/method/reverse_steps.h"
#include "fokker/condition/particles.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

/// What the denoiser and the twist say at particles x (n, event...).
struct Twisted {
  Tensor denoised, gradient, log_twist;

  Twisted at(const Tensor& index) const {
    return {denoised.index_select(0, index), gradient.index_select(0, index),
            log_twist.index_select(0, index)};
  }
};

Tensor numbers_from(int64_t first, int64_t count) {
  return at::arange(first, first + count, at::kLong);
}

/// In parts of as many rows as the denoiser is called on.
Twisted twist(const PosteriorBlock& block, const Tensor& x, double t) {
  const double variance = assumed_variance(block.process(), t, block.options.data_deviation);
  std::vector<Tensor> denoised, gradient, log_twist;
  for (int64_t first = 0; first < x.size(0); first += block.rows_together) {
    check_stop();
    const int64_t count = std::min(block.rows_together, x.size(0) - first);
    const GradientMode on(true);
    const auto [leaf, mean] = differentiable_estimate(block, x.narrow(0, first, count), t, first);
    const Tensor log = block.measurement.select(numbers_from(first, count))->log_likelihood(mean, variance);
    gradient.push_back(gradients(log, {leaf}, false)[0]);
    denoised.push_back(mean.detach());
    log_twist.push_back(log.detach().to(at::kDouble));
  }
  return {at::cat(denoised), at::cat(gradient), at::cat(log_twist)};
}

/// The particles of each measured row that go on, as places in all of them; the identity where a row has
/// enough of them. Weights of rows that are resampled become equal.
Tensor surviving(const PosteriorBlock& block, Tensor& log_weights, int64_t step, double threshold) {
  const int64_t k = block.options.draws;
  const Tensor normal = normalised_log_weights(log_weights.reshape({-1, k}));
  const Tensor thin = effective_samples(normal) < threshold * static_cast<double>(k);
  const int64_t rows = normal.size(0);
  const Rng rng = block.options.rng.stream("resampling");
  std::vector<Tensor> uniforms;
  for (int64_t row = 0; row < rows; ++row)
    uniforms.push_back(
        rng.uniform({1}, {block.row_indices[row].item<int64_t>(), static_cast<uint64_t>(step)}, at::kDouble));
  const Tensor u = at::cat(uniforms);
  const Tensor same = numbers_from(0, k).expand({rows, k});
  const Tensor places = at::where(thin.unsqueeze(1), systematic_resampling(normal, u, k), same);
  const Tensor equal = at::full_like(normal, -std::log(static_cast<double>(k)));
  log_weights = at::where(thin.unsqueeze(1), equal, normal).flatten();
  return (places + numbers_from(0, rows).unsqueeze(1) * k).flatten();
}

}  // namespace

Tds::Tds(double threshold) : threshold_(threshold) {
  check(threshold >= 0 && threshold <= 1, "tds: expected threshold in [0, 1] but received {}", threshold);
}

void Tds::check_measurement(const Measurement& measurement) const {
  const LinearMeasurement* linear = measurement.linear();
  check(
      !linear || linear->noise() > 0,
      "tds: expected noise > 0, as particles are weighed by the likelihood; mmps, ddnm and replacement take "
      "measurements without noise");
}

PosteriorDraw Tds::draw(const PosteriorBlock& block) const {
  const GaussianProcess& process = block.process();
  const auto steps = reverse_steps(process, block.grid);
  Tensor x = block.start;
  Twisted now = twist(block, x, steps.front().t);
  Tensor log_weights = now.log_twist.to(at::kCPU);
  const auto n = static_cast<int64_t>(steps.size());
  for (const ReverseStep& step : steps) {
    const Tensor alive = surviving(block, log_weights, step.index, threshold_);
    x = x.index_select(0, alive.to(x.device()));
    now = now.at(alive.to(x.device()));
    const double alpha = process.alpha(step.t), sigma = process.sigma(step.t);
    Tensor next = x * step.state + now.denoised * step.data, weight = -now.log_twist;
    if (!step.last) {
      const double variance =
          step.variance +
          step.data * step.data * assumed_variance(process, step.t, block.options.data_deviation);
      const Tensor push = now.gradient * (step.data * sigma * sigma / alpha),
                   noise = step_noise(block, x, step.index, name())(0) * std::sqrt(variance);
      // log N(x_s; mean, v) - log N(x_s; mean + push, v)
      const Tensor gap = sum_events((push * (push + 2 * noise)).to(at::kDouble));
      weight = weight - gap / (2 * variance);
      next = next + push + noise;
    }
    x = next;
    if (step.last) {
      weight = weight + block.measurement.log_likelihood(x).to(at::kDouble);
    } else {
      now = twist(block, x, step.s);
      weight = weight + now.log_twist;
    }
    log_weights = log_weights + weight.to(at::kCPU);
  }
  return {.x = x, .log_weights = log_weights, .evaluations = n, .gradients = n};
}

}  // namespace fokker
