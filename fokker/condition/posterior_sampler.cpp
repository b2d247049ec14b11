#include "fokker/condition/posterior_sampler.h"

#include "fokker/condition/particles.h"
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

/// (rows, draws, event...).
std::vector<int64_t> whole_shape(const Measurement& measurement, int64_t draws) {
  std::vector<int64_t> shape{measurement.rows(), draws};
  shape.insert(shape.end(), measurement.event_shape().begin(), measurement.event_shape().end());
  return shape;
}

void check_posterior_run(const PosteriorSampler& method, const Denoiser& denoiser,
                         const Measurement& measurement, const TimeGrid& grid,
                         const PosteriorOptions& options) {
  check(options.draws > 0, "{}: expected draws > 0 but received {}", method.name(), options.draws);
  check(options.block >= 0, "{}: expected block > 0 but received {}", method.name(), options.block);
  check(options.data_deviation > 0, "{}: expected data_deviation > 0 but received {}", method.name(),
        options.data_deviation);
  check(!grid.towards_noise() && grid.times().back() == 0,
        "{}: expected a grid from noise to data at t = 0 but received one from {} to {}", method.name(),
        grid.times().front(), grid.times().back());
  check(
      !method.differentiates() || denoiser.process().alpha(grid.times().front()) > 0,
      "{}: expected a grid that begins where alpha > 0 but at t = {} there is no signal; see posterior_grid",
      method.name(), grid.times().front());
  const Tensor& labels = options.labels;
  check(
      !labels.defined() || ((labels.dim() == 1 || labels.dim() == 2) && labels.size(0) == measurement.rows()),
      "{}: expected {} labels, one per measured row", method.name(), measurement.rows());
  const auto whole = whole_shape(measurement, options.draws);
  check(!options.start.defined() || options.start.sizes() == IntArrayRef(whole),
        "{}: expected a start of shape {} but received {}", method.name(), shape_string(whole),
        options.start.defined() ? shape_string(options.start) : "");
  check(!options.row_indices.defined() ||
            (options.row_indices.dim() == 1 && options.row_indices.size(0) == measurement.rows()),
        "{}: expected {} indices of rows", method.name(), measurement.rows());
  method.check_measurement(measurement);
}

/// (n, event...).
std::vector<int64_t> batch_shape(int64_t n, const std::vector<int64_t>& event) {
  std::vector<int64_t> shape{n};
  shape.insert(shape.end(), event.begin(), event.end());
  return shape;
}

/// The denoiser in the form that is called, without owning what was given.
std::shared_ptr<const Denoiser> called_form(const PosteriorSampler& method, const Denoiser& denoiser) {
  std::shared_ptr<const Denoiser> frozen = method.differentiates() ? nullptr : denoiser.frozen();
  return frozen ? frozen : std::shared_ptr<const Denoiser>(std::shared_ptr<void>(), &denoiser);
}

/// A source of noise for rows whose indices are `samples` (n): one draw for each run of consecutive ones.
NoiseSource at_samples(NoiseSource source, const Tensor& samples) {
  const Tensor ends =
      at::cat({(samples.slice(0, 1) - samples.slice(0, 0, -1)).ne(1), at::ones({1}, at::kBool)});
  return [source = std::move(source), samples, ends](IntArrayRef shape, DrawPosition position) {
    const int64_t first = position.first_sample, count = shape[0];
    const Tensor last = ends.slice(0, first, first + count).nonzero().squeeze(1);
    std::vector<Tensor> parts;
    std::vector<int64_t> part = shape.vec();
    for (int64_t i = 0, begin = 0; begin < count; ++i) {
      const int64_t end = i < last.size(0) ? last[i].item<int64_t>() + 1 : count;
      part[0] = end - begin;
      parts.push_back(source(part, {samples[first + begin].item<int64_t>(), position.step}));
      begin = end;
    }
    return parts.size() == 1 ? parts[0] : at::cat(parts);
  };
}

/// Samples [first, first + count) of all rows' together.
class PosteriorRun {
 public:
  PosteriorRun(const Measurement& measurement, const TimeGrid& grid, const PosteriorOptions& options,
               std::shared_ptr<const Denoiser> denoiser)
      : measurement_(measurement),
        grid_(grid),
        options_(options),
        denoiser_(std::move(denoiser)),
        rows_together_(options.block > 0                       ? options.block
                       : measurement.event_shape().size() == 3 ? 64
                                                               : 4096) {}

  int64_t rows_together() const { return rows_together_; }

  template <typename Draw>
  PosteriorDraw block(int64_t first, int64_t count, Draw draw) const {
    const Tensor row = at::arange(first, first + count, at::kLong).div(options_.draws, "floor");
    const auto part = measurement_.select(row);
    const Tensor& labels = options_.labels;
    const Tensor own = labels.defined() ? labels.index_select(0, row).to(options_.type.device()) : labels;
    const Tensor samples = indices().index_select(0, row) * options_.draws +
                           at::arange(first, first + count, at::kLong).remainder(options_.draws);
    const auto noise_of = [&](const char* purpose) {
      return at_samples(options_.rng.stream(purpose).noise_source(options_.type), samples);
    };
    const Tensor start =
        options_.start.defined()
            ? options_.start.flatten(0, 1).narrow(0, first, count).to(options_.type)
            : at_first_time(denoiser_->process(),
                            noise_of("prior")(batch_shape(count, measurement_.event_shape()), {}));
    const Tensor rows = indices().slice(0, first / options_.draws, (first + count - 1) / options_.draws + 1);
    PosteriorDraw result = draw(PosteriorBlock{*denoiser_, *part, grid_, options_, own, start,
                                               noise_of("sampler"), rows, rows_together_});
    const int64_t bad = first_row_not_finite(result.x);
    if (bad >= 0)
      throw RowError(ErrorKind::failed, (first + bad) / options_.draws,
                     "a sample left the range of numbers; take more steps, or a smaller one where the method "
                     "has a step size");
    return result;
  }

 private:
  /// Of the measured rows in the whole run.
  Tensor indices() const {
    return options_.row_indices.defined()
               ? options_.row_indices
               : at::arange(options_.first_row, options_.first_row + measurement_.rows(), at::kLong);
  }

  /// As x_t of centred data of that deviation.
  Tensor at_first_time(const GaussianProcess& process, const Tensor& noise) const {
    const double a = process.alpha(grid_.times().front()), s = process.sigma(grid_.times().front()),
                 sd = options_.data_deviation;
    return noise * std::sqrt(a * a * sd * sd + s * s);
  }

  const Measurement& measurement_;
  const TimeGrid& grid_;
  const PosteriorOptions& options_;
  std::shared_ptr<const Denoiser> denoiser_;
  int64_t rows_together_;
};

}  // namespace

PosteriorSamples PosteriorSampler::sample(const Denoiser& denoiser, const Measurement& measurement,
                                          const TimeGrid& grid, const PosteriorOptions& options) const try {
  check_posterior_run(*this, denoiser, measurement, grid, options);
  const GradientMode no_gradients(false);
  const PosteriorRun run(measurement, grid, options, called_form(*this, denoiser));
  const int64_t rows = measurement.rows(), k = options.draws, total = rows * k;
  const int64_t step = interacts() ? std::max<int64_t>(1, run.rows_together() / k) * k : run.rows_together();
  std::vector<Tensor> x, log_weights;
  PosteriorSamples all;
  for (int64_t first = 0; first < total; first += step) {
    check_stop();
    const int64_t count = std::min(step, total - first);
    const PosteriorDraw part = run.block(first, count, [&](const PosteriorBlock& b) { return draw(b); });
    x.push_back(part.x);
    log_weights.push_back(part.log_weights.defined() ? part.log_weights.to(at::kCPU, at::kDouble)
                                                     : at::zeros({count}, at::kDouble));
    all.evaluations = std::max(all.evaluations, part.evaluations);
    all.gradients = std::max(all.gradients, part.gradients);
    if (options.progress) options.progress(first + count);
  }
  all.x = (x.empty() ? at::empty({0}, options.type) : at::cat(x)).reshape(whole_shape(measurement, k));
  all.log_weights = normalised_log_weights(
      (log_weights.empty() ? at::empty({0}, at::kDouble) : at::cat(log_weights)).reshape({rows, k}));
  all.ess = effective_samples(all.log_weights);
  return all;
} catch (...) {
  detail::throw_as_error();
}

TimeGrid posterior_grid(const GaussianProcess& process, int64_t steps) {
  return TimeGrid::uniform_log_snr(process, steps,
                                   {.start = process.alpha(1) > 0 ? 1.0 : process.schedule()->sde_end()});
}

Tensor equally_weighted(const PosteriorSamples& samples, int64_t count, const Rng& rng,
                        int64_t first_row) try {
  const int64_t rows = samples.x.size(0);
  const Tensor uniforms =
      rng.stream("equal weights").uniform({rows, 1}, {.first_sample = first_row}, at::kDouble).squeeze(1);
  const Tensor places = systematic_resampling(samples.log_weights, uniforms, count).to(samples.x.device());
  std::vector<Tensor> picked;
  for (int64_t row = 0; row < rows; ++row) picked.push_back(samples.x[row].index_select(0, places[row]));
  return at::stack(picked);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
