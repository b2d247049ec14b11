#include "fokker/plot/film/particle_film.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::plot {
namespace {

constexpr int64_t kMostParticlesInStrip = 400;
constexpr int64_t kCurvePoints = 400;
// A law that narrows to points would leave only flat curves at other times: its peak may leave the panel.
constexpr double kMostPeak = 3;  // of the median peak over time

/// About as many bins as the histograms of the first, middle and last state want.
int64_t bins_of(const Tensor& states, Range x) {
  int64_t most = 10;
  for (const int64_t step : {int64_t{0}, states.size(0) / 2, states.size(0) - 1}) {
    const Histogram own = make_histogram(states[step].select(1, 0));
    const double width = (own.edges[1] - own.edges[0]).item<double>();
    most = std::max(most, static_cast<int64_t>(std::min(120.0, std::ceil(x.span() / width))));
  }
  return most;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A fixed height in (0, 1) for each particle, without a pattern (the golden ratio's fractional parts).
Tensor strip_heights(int64_t count) {
  const Tensor turns = at::arange(count, at::kDouble) * 0.6180339887498949;
  return 0.08 + 0.84 * (turns - turns.floor());
}

}  // namespace

ParticleFilm::ParticleFilm(const Tensor& states, std::vector<double> times, Density density,
                           ParticleFilmOptions options)
    : states_(finite_values("particle film", states, {-1, -1, -1})),
      times_(std::move(times)),
      density_(std::move(density)),
      options_(std::move(options)) {
  check_input(states_.numel() > 0 && static_cast<int64_t>(times_.size()) == states_.size(0),
              "particle film: expected states of shape (times, n, d) and a time for each but received {} and "
              "{} times",
              shape_string(states_), times_.size());
  x_ = limits_over_time(states_, 0);
  if (states_.size(2) > 1) {
    y_ = limits_over_time(states_, 1);
    return;
  }
  bins_ = bins_of(states_, x_);
  std::vector<double> peaks;
  for (int64_t step = 0; step <= steps(); step += std::max<int64_t>(1, steps() / 50))
    peaks.push_back(make_histogram(states_[step].select(1, 0), bins_, x_).density.max().item<double>());
  const double most = *std::max_element(peaks.begin(), peaks.end());
  y_ = {0, 1.08 * std::min(most, kMostPeak * median(peaks))};
}

std::string ParticleFilm::title(int64_t step) const {
  const double t = times_[static_cast<size_t>(step)];
  const bool whole =
      std::all_of(times_.begin(), times_.end(), [](double each) { return each == std::floor(each); }) &&
      times_.back() + times_.front() > 1;
  const std::string time = whole ? fmt::format("{} = {:.0f}", options_.time_name, t)
                                 : fmt::format("{} = {:.2f}", options_.time_name, t);
  return options_.chart.title.empty() ? time : options_.chart.title + ", " + time;
}

Figure ParticleFilm::frame(int64_t step) const {
  check(step >= 0 && step <= steps(), "particle film: expected a step from 0 to {} but received {}", steps(),
        step);
  return states_.size(2) == 1 ? line_frame(step) : plane_frame(step);
}

Figure ParticleFilm::line_frame(int64_t step) const {
  const Tensor x = states_[step].select(1, 0).contiguous();
  FigureOptions options = page_of(options_.chart, 640, 480);
  options.rows = 2;
  Figure figure(options);
  Axes& law = figure.axes(0, 0);
  law.title = title(step);
  law.x.limits = x_;
  law.y = {.label = "density", .limits = y_};
  add_histogram(law, x, {.label = "particles", .bins = bins_, .range = x_});
  if (density_) {
    const Tensor at = grid_points({x_, {0, 1}}, 1, kCurvePoints).narrow(1, 0, 1).contiguous();
    const Tensor density = density_(at, times_[static_cast<size_t>(step)]);
    if (density.defined())
      add_line(law, at.select(1, 0), density, {.label = options_.density_label, .width = 2.0});
  }
  Axes& strip = figure.axes(1, 0);
  const int64_t shown = std::min(kMostParticlesInStrip, x.size(0));
  strip.x = {.label = "x_t", .limits = x_};
  strip.y = {.limits = Range{0, 1}, .ticks = false};
  strip.grid = false;
  add_scatter(strip, at::stack({x.narrow(0, 0, shown), strip_heights(shown)}, 1),
              {.colour = SeriesColour(size_t{0}), .radius = 2.2, .alpha = 0.6});
  return figure;
}

void ParticleFilm::add_ground(Axes& axes, double t) const {
  constexpr int64_t cells = 120;
  const Extent extent{x_, y_};
  const Tensor density = density_(grid_points(extent, cells, cells), t);
  if (density.defined())
    add_density_image(axes, density.reshape({cells, cells}), extent,
                      {.contours = 4, .shade = 0.55, .colour_bar = false});
}

Figure ParticleFilm::plane_frame(int64_t step) const {
  Figure figure(page_of(options_.chart, 560, 560));
  Axes& axes = figure.axes();
  axes.title = title(step);
  axes.x = {.label = "x_1", .limits = x_};
  axes.y = {.label = "x_2", .limits = y_};
  axes.equal_aspect = similar(x_, y_);
  if (density_ && states_.size(2) == 2) add_ground(axes, times_[static_cast<size_t>(step)]);
  add_scatter(axes, states_[step].narrow(1, 0, 2), {.colour = SeriesColour(size_t{1}), .alpha = 0.5});
  return figure;
}

int64_t film_step(const ParticleFilm& film, int64_t i, int64_t frames) {
  check(frames > 0 && i >= 0 && i < frames, "particle film: expected a frame from 0 to {} but received {}",
        frames - 1, i);
  const double stride =
      static_cast<double>(film.steps()) / static_cast<double>(std::max<int64_t>(1, frames - 1));
  return std::lround(stride * static_cast<double>(i));
}

void save_film(const std::filesystem::path& path, const ParticleFilm& film, int64_t frames,
               const AnimationOptions& options) {
  const int64_t count = std::min(frames, film.steps() + 1);
  save_animation(
      path, count, [&](int64_t i) { return film.frame(film_step(film, i, count)); }, options);
}

}  // namespace fokker::plot
