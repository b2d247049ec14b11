#include <cmath>

#include "fokker/image/image.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/image_grid.h"
#include "fokker/report/sections.h"

namespace fokker::report {
namespace {

constexpr int64_t kImagesShown = 25;
constexpr int64_t kLargestSide = 48;  // of an image in a frame

std::vector<std::string> time_labels(const Material& m) {
  std::vector<std::string> labels;
  for (const double t : m.times) labels.push_back(fmt::format("t = {:.3f}", t));
  return labels;
}

std::string caption(const Material& m, const std::string& what) {
  std::string text = fmt::format(
      "{} carried from noise (t = 1, left) to data (t = 0, right) by the probability flow: {} recorded "
      "states.",
      what, m.times.size());
  if (m.scaled_states)
    text += " States are divided by √(1 + σ(t)²), so that every frame has the scale of the data.";
  return text;
}

/// The range of the bulk of some numbers, which a few outliers do not widen.
plot::Range bulk(const Tensor& values, double tail) {
  const Tensor sorted = std::get<0>(values.reshape({-1}).to(at::kDouble).sort());
  const auto last = static_cast<double>(sorted.size(0) - 1);
  return {sorted[std::lround(tail * last)].item<double>(),
          sorted[std::lround((1 - tail) * last)].item<double>()};
}

/// Limits that show data, samples and most of the noise.
plot::Range limits(const Material& m, int64_t column) {
  plot::Range range =
      hull(bulk(m.samples.select(1, column), 0.002), bulk(m.states[0].select(1, column), 0.01));
  if (m.has_data()) range = hull(range, bulk(m.data.select(1, column), 0.002));
  return plot::padded_limits(range, plot::Scale::linear, 0.06);
}

void plane_flow(Page& page, const Material& m) {
  const plot::Range x = limits(m, 0), y = limits(m, 1);
  const double ratio = x.span() / y.span();
  const std::string which = m.columns() > 2 ? "the first two columns" : "both columns";
  PointFrames frames{
      .frames = m.states.narrow(2, 0, 2),
      .labels = time_labels(m),
      .x_label = m.names[0],
      .y_label = m.names[1],
      .x_limits = x,
      .y_limits = y,
      .aspect = ratio > 0.5 && ratio < 2 ? ratio : 1.0,
      .alt = fmt::format("{} samples moving from noise to data, in the plane of {} and {}.",
                         thousands(m.samples.size(0)), m.names[0], m.names[1]),
      .caption = caption(m, fmt::format("{} samples, {},", thousands(m.samples.size(0)), which))};
  if (m.has_data())
    frames.reference = m.data.narrow(0, 0, std::min<int64_t>(1000, m.data.size(0))).narrow(1, 0, 2);
  frames.reference_name = m.data_name;
  page.player(frames);
}

void line_flow(Page& page, const Material& m) {
  const plot::Range x = limits(m, 0);
  PictureFrames frames{.labels = time_labels(m),
                       .alt = fmt::format("Histogram of {} samples of {} while they move from noise to data.",
                                          thousands(m.samples.size(0)), m.names[0]),
                       .caption = caption(m, thousands(m.samples.size(0)) + " samples")};
  double highest = 0;
  const auto values = [&](int64_t k) { return m.states[k].select(1, 0).clamp(x.low, x.high); };
  for (int64_t k = 0; k < m.states.size(0); ++k)
    highest = std::max(highest, plot::make_histogram(values(k), 60, x).density.max().item<double>());
  for (int64_t k = 0; k < m.states.size(0); ++k)
    frames.frames.push_back(embed(
        [&](const plot::Theme& theme) {
          plot::Figure figure({.width = 520, .height = 340, .theme = theme});
          figure.axes().x = {.label = m.names[0], .limits = x};
          figure.axes().y = {.label = "density", .limits = plot::Range{0, 1.05 * highest}};
          plot::add_histogram(figure.axes(), values(k), {.colour = theme.series(1), .bins = 60, .range = x});
          return figure;
        },
        frames.alt));
  page.player(frames);
}

void image_flow(Page& page, const Material& m) {
  const int64_t shown = std::min(kImagesShown, m.samples.size(0));
  const int64_t height = m.samples.size(2), width = m.samples.size(3);
  const double reduce =
      std::min(1.0, static_cast<double>(kLargestSide) / static_cast<double>(std::max(height, width)));
  const auto reduced = [&](int64_t size) {
    return std::max<int64_t>(1, std::llround(reduce * static_cast<double>(size)));
  };
  PictureFrames frames{.labels = time_labels(m),
                       .alt = fmt::format("{} images while they emerge from noise.", shown),
                       .caption = caption(m, fmt::format("{} of {} samples,", shown, m.samples.size(0)))};
  for (int64_t k = 0; k < m.states.size(0); ++k) {
    const Tensor images = m.states[k].narrow(0, 0, shown).to(at::kFloat).clamp(-1, 1);
    const Tensor small = reduce < 1 ? resize_images(images, reduced(height), reduced(width)) : images;
    const Tensor grid = plot::image_grid(small, {.background = 128});
    const double scale = std::max(1.0, std::round(420.0 / static_cast<double>(grid.size(2))));
    frames.frames.push_back(embed_pixels(grid, frames.alt, scale));
  }
  if (reduce < 1)
    frames.caption += fmt::format(" Shown at {} × {} pixels each.", reduced(width), reduced(height));
  page.player(frames);
}

}  // namespace

void add_flow(Page& page, const Material& m) {
  page.section("From noise to data");
  if (m.images()) return image_flow(page, m);
  if (m.columns() == 1) return line_flow(page, m);
  plane_flow(page, m);
}

}  // namespace fokker::report
