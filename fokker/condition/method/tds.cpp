#include "fokker/condition/method/tds.h"

#include "fokker/condition/particles.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

Tensor numbers_from(int64_t first, int64_t count) {
  return at::arange(first, first + count, at::kLong);
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

Tds::Tds(Options options) : threshold_(options.threshold), covariance_(options.covariance) {
  const double threshold = options.threshold;
  check(threshold >= 0 && threshold <= 1, "tds: expected threshold in [0, 1] but received {}", threshold);
}

void Tds::check_measurement(const Measurement& measurement) const {
  const LinearMeasurement* linear = measurement.linear();
  check(linear || covariance_ != TwistCovariance::jacobian,
        "tds: covariance=jacobian takes a linear measurement with Gaussian noise; expected "
        "covariance=assumed");
  check(
      !linear || linear->noise() > 0,
      "tds: expected noise > 0, as particles are weighed by the likelihood; mmps, ddnm and replacement take "
      "measurements without noise");
}

PosteriorDraw Tds::draw(const PosteriorBlock& block) const {
  const Twist twist(block, covariance_);
  const auto steps = reverse_steps(block.process(), block.grid);
  Tensor x = block.start;
  Twisted now = twist(x, steps.front().t);
  Tensor log_weights = now.log_twist.to(at::kCPU);
  for (const ReverseStep& step : steps) {
    const Tensor alive = surviving(block, log_weights, step.index, threshold_).to(x.device());
    x = x.index_select(0, alive);
    now = now.at(alive);
    Tensor weight = -now.log_twist;
    if (step.last) {
      x = x * step.state + now.denoised * step.data;
      weight = weight + block.measurement.log_likelihood(x).to(at::kDouble);
    } else {
      const TwistedStep next = twist.step(step, x, now, step_noise(block, x, step.index, name())(0));
      x = next.x;
      now = twist(x, step.s);
      weight = weight + next.log_ratio + now.log_twist;
    }
    log_weights = log_weights + weight.to(at::kCPU);
  }
  const auto n = static_cast<int64_t>(steps.size());
  return {.x = x, .log_weights = log_weights, .evaluations = n, .gradients = n * twist.passes()};
}

}  // namespace fokker
