#include "fokker/course/gallery/compute.h"

#include "fokker/plot/mark/lines.h"

namespace fokker::gallery {

Tensor linspace(plot::Range range, int64_t n) {
  return at::linspace(range.low, range.high, n, at::kDouble);
}

Tensor density_on(const Distribution& law, const Tensor& x) {
  return law.log_density(x.unsqueeze(1)).exp();
}

Tensor density_on(const Distribution& law, plot::Extent extent, int64_t n) {
  return law.log_density(plot::grid_points(extent, n, n)).exp().reshape({n, n});
}

plot::Extent square(double reach) {
  return {.x = {-reach, reach}, .y = {-reach, reach}};
}

Tensor density_over_time(const std::function<Tensor(const Tensor& x, double t)>& density, plot::Range states,
                         int64_t rows, int64_t columns) {
  const double cell = states.span() / static_cast<double>(rows);
  const Tensor x = linspace({states.low + cell / 2, states.high - cell / 2}, rows);
  Tensor image = at::empty({rows, columns}, at::kDouble);
  for (int64_t i = 0; i < columns; ++i)
    image.select(1, i).copy_(density(x, (static_cast<double>(i) + 0.5) / static_cast<double>(columns)));
  return image / image.amax(0);
}

Tensor simulated_paths(const Sde& sde, const Tensor& start, const std::vector<double>& times, const Rng& rng,
                       int64_t every) {
  std::vector<Tensor> states;
  simulate(sde, start, times,
           {.noise = wiener_increments(rng.noise_source(start.scalar_type())),
            .observer = [&](const SdeState& seen) {
              if (seen.step % every == 0) states.push_back(seen.x.clone());
            }});
  return at::stack(states);
}

Tensor sampled_paths(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid,
                     const Tensor& start, const Rng& rng, int64_t every_step) {
  const GradientMode off(false);
  std::vector<Tensor> states;
  const Observer keep = [&](const Observation& seen) { states.push_back(seen.x.clone()); };
  integrate(denoiser, sampler, grid, start,
            {.noise = rng.noise_source(start.scalar_type()),
             .block = start.size(0),
             .observers = {every_steps(every_step, keep)}});
  return at::stack(states);
}

plot::Figure page(const plot::Theme& theme, int width, int height, int rows, int columns) {
  return plot::Figure(
      {.width = width, .height = height, .rows = rows, .columns = columns, .theme = theme, .pixel_ratio = 2});
}

plot::ColourMap warm_map(const plot::Theme& theme) {
  return plot::ColourMap(
      {theme.background, plot::mix(theme.background, theme.series(1), 0.5), theme.series(1)});
}

void add_box(plot::Axes& axes, plot::Extent box, plot::Colour colour) {
  const Tensor x = at::tensor({box.x.low, box.x.high, box.x.high, box.x.low, box.x.low}, at::kDouble);
  const Tensor y = at::tensor({box.y.low, box.y.low, box.y.high, box.y.high, box.y.low}, at::kDouble);
  plot::add_line(axes, x, y, {.colour = colour, .width = 2});
}

void add_vertical(plot::Axes& axes, double x, plot::Colour colour, const std::string& label) {
  const plot::Range y = axes.y_limits();
  plot::add_line(axes, at::full({2}, x, at::kDouble), at::tensor({y.low, y.high}, at::kDouble),
                 {.label = label, .colour = colour, .width = 1.2, .dash = plot::Dash::dashed});
}

}  // namespace fokker::gallery
