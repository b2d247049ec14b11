// S3, section 3.3: the probability flow as a map between noise and data.
#include <cmath>
#include <numbers>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/sample/flow_map.h"
#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker::gallery {
namespace {

/// Three round bumps of unequal weight.
GaussianMixture three_bumps() {
  return {at::tensor({0.5, 0.3, 0.2}, at::kDouble),
          at::tensor({-1.8, -0.8, 2.0, -1.0, 0.4, 2.0}, at::kDouble).reshape({3, 2}),
          at::tensor({0.5, 0.3, 0.2}, at::kDouble)};
}

Setting bumps_setting() {
  return Setting::law(
      [] { return course::Laws{three_bumps()}; }, "three round bumps",
      {.least_dimension = 2, .most_dimension = 2, .least_deviation = 0.15, .most_deviation = 3, .reach = 8});
}

AnalyticDenoiser bent_space(const Settings& set) {
  return {set.law(), VariancePreserving{}};
}

constexpr double flow_reach = 3.9;
/// Where a law has its mass, with the outermost circle of its noise; flow_reach for the usual one.
double reach_of_data(const Settings& set) {
  if (set.changes().empty()) return flow_reach;
  double reach = flow_reach;
  for (int64_t k = 0; k < set.law().components(); ++k) {
    const Tensor deviation = set.law().component_covariance(k).diagonal().sqrt();
    reach = std::max(reach, (set.law().means()[k].abs() + 3.2 * deviation).max().item<double>());
  }
  return reach;
}
constexpr int64_t flow_circles = 8, flow_rays = 16, flow_points = 161;

/// Circles of radius 0.35, 0.7, ... about zero: (circles, points, 2).
Tensor circles() {
  const Tensor angle = linspace({0, 2 * std::numbers::pi}, flow_points);
  const Tensor ring = at::stack({angle.cos(), angle.sin()}, 1);
  return ring * linspace({0.35, 0.35 * flow_circles}, flow_circles).reshape({-1, 1, 1});
}

/// Rays from near zero outwards: (rays, points, 2).
Tensor rays() {
  const Tensor angle = at::arange(flow_rays, at::kDouble) * (2 * std::numbers::pi / flow_rays);
  const Tensor direction = at::stack({angle.cos(), angle.sin()}, 1).unsqueeze(1);
  return direction * linspace({0.02, 0.35 * flow_circles}, flow_points).reshape({1, -1, 1});
}

/// The lines x_1 = c and x_2 = c, c = -reach, ..., reach: (34, points, 2).
Tensor straight_grid(double reach) {
  const Tensor along = linspace({-reach, reach}, flow_points), c = linspace({-reach, reach}, 17).unsqueeze(1);
  const Tensor a = along.expand({17, flow_points}), b = c.expand({17, flow_points});
  return at::cat({at::stack({a, b}, 2), at::stack({b, a}, 2)});
}

/// Applies a map of points to curves (m, k, 2).
template <typename Map>
Tensor mapped(const Tensor& curves, const Map& map) {
  return map(curves.reshape({-1, 2})).reshape(curves.sizes());
}

void draw_plane(plot::Axes& axes, const char* title, const char* letter, double reach = flow_reach) {
  axes.title = title;
  axes.x = {.label = fmt::format("{}_1", letter), .limits = plot::Range{-reach, reach}};
  axes.y = {.label = fmt::format("{}_2", letter), .limits = plot::Range{-reach, reach}};
  axes.equal_aspect = true;
}

void draw_density(plot::Axes& axes, const GaussianMixture& law, double reach = flow_reach) {
  plot::add_density_image(axes, density_on(law, square(reach), 150), square(reach),
                          {.contours = 0, .shade = 0.5, .colour_bar = false});
}

/// Rings in one colour, rays in another.
void draw_polar(plot::Axes& axes, const plot::Theme& theme, const Tensor& rings, const Tensor& beams) {
  plot::add_paths(axes, beams, {.colour = theme.series(2), .width = 1, .alpha = 0.8});
  plot::add_paths(axes, rings, {.colour = theme.series(1), .width = 1.4, .alpha = 1});
}

Scene grid(Workshop&, const Rng&, const Settings& set) {
  const AnalyticDenoiser exact = bent_space(set);
  const double reach = reach_of_data(set);
  const auto down = [&](const Tensor& z) { return decode(exact, z, {.rtol = 1e-6, .atol = 1e-6}).x; };
  const auto up = [&](const Tensor& x) { return encode(exact, x, {.rtol = 1e-6, .atol = 1e-6}).x; };
  const Tensor rings = circles(), beams = rays(), lines = straight_grid(reach * 3.2 / flow_reach);
  const Tensor bent_rings = mapped(rings, down), bent_beams = mapped(beams, down);
  const Tensor bent_lines = mapped(lines, up);
  const double seen = set.changes().empty() ? 6 : std::max(6.0, 1.05 * bent_lines.abs().max().item<double>());
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 820, 840, 2, 2);
    const GaussianMixture normal = GaussianMixture::standard_normal(2);
    draw_plane(figure.axes(0, 0), "noise z", "z");
    draw_density(figure.axes(0, 0), normal);
    draw_polar(figure.axes(0, 0), theme, rings, beams);
    draw_plane(figure.axes(0, 1), "the same, decoded", "x", reach);
    draw_density(figure.axes(0, 1), exact.target(), reach);
    draw_polar(figure.axes(0, 1), theme, bent_rings, bent_beams);
    draw_plane(figure.axes(1, 0), "data x", "x", reach);
    draw_density(figure.axes(1, 0), exact.target(), reach);
    plot::add_paths(figure.axes(1, 0), lines, {.colour = theme.series(3), .width = 1, .alpha = 0.9});
    draw_plane(figure.axes(1, 1), "the same, encoded", "z", seen);
    draw_density(figure.axes(1, 1), normal, seen);
    plot::add_paths(figure.axes(1, 1), bent_lines, {.colour = theme.series(3), .width = 1, .alpha = 0.9});
    return figure;
  })};
}

Scene bending(Workshop&, const Rng& rng, const Settings& set) {
  const AnalyticDenoiser exact = bent_space(set);
  const double reach = reach_of_data(set);
  const int64_t frames = 61;
  const TimeGrid times = TimeGrid::uniform_log_snr(exact.process(), frames - 1);
  const Tensor curves = at::cat({circles(), rays()});
  const Tensor states = sampled_paths(exact, Heun(), times, curves.reshape({-1, 2}), rng)
                            .reshape({frames, flow_circles + flow_rays, flow_points, 2});
  const auto draw = [=](const plot::Theme& theme, int64_t frame) {
    plot::Figure figure = page(theme, 480, 500);
    auto& axes = figure.axes();
    const double t = times.times()[static_cast<size_t>(frame)];
    draw_plane(axes, "", "x", reach);
    axes.title = fmt::format("t = {:.2f}", t);
    draw_density(axes, exact.marginal(t), reach);
    draw_polar(axes, theme, states[frame].narrow(0, 0, flow_circles),
               states[frame].narrow(0, flow_circles, flow_rays));
    return figure;
  };
  return {.draw = draw, .frames = frames, .still = frames - 1};
}

}  // namespace

void add_s3_flow(Items& items) {
  items.push_back(
      {.id = "s3.flow-map",
       .title = "How the flow bends space",
       .source = "S3, section 3.3, \"deterministic encoding and generation\"",
       .caption =
           "The probability flow of three bumps is one smooth invertible map. Above: circles of equal "
           "probability and rays in the space of noise, and where decoding takes them, over the density of "
           "the "
           "data. Below: a square grid of the data, and where encoding takes it; its nearly empty regions "
           "shrink to seams, its dense ones fill the plane.",
       .alt = "Four panels: a round web of circles and rays; the same web stretched around three bumps; a "
              "square grid; the same grid with three widened patches between dense seams.",
       .kind = Kind::figure,
       .prepare = grid,
       .settings = {bumps_setting()},
       .caption_when_set =
           "The probability flow of the law that was set is one smooth invertible map. Above: circles of "
           "equal probability and rays in the space of noise, and where decoding takes them, over the "
           "density "
           "of the data. Below: a square grid of the data, and where encoding takes it; its nearly empty "
           "regions shrink to seams.",
       .alt_when_set = "Four panels: a round web of circles and rays; the same web decoded over the data; a "
                       "square grid; the same grid encoded."});
  items.push_back(
      {.id = "s3.flow-film",
       .title = "The bending, from noise to data",
       .source = "S3, section 3.3",
       .caption = "The circles and rays carried along the flow, over the density of x_t.",
       .alt = "Animation: a round web over a round cloud; the cloud parts into three bumps and stretches "
              "the web around them.",
       .kind = Kind::animation,
       .prepare = bending,
       .settings = {bumps_setting()},
       .caption_when_set =
           "The circles and rays carried along the flow, over the density of x_t, for the law "
           "that was set.",
       .alt_when_set = "Animation: a round web over a round cloud becomes the web of the data over their "
                       "density."});
}

}  // namespace fokker::gallery
