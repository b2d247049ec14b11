#include "scaling_picture.h"

#include <cmath>

#include "fokker/core/file/files.h"
#include "fokker/core/text/json.h"
#include "fokker/plot/figure/figure.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"

namespace fokker::bench {
namespace {

Tensor relative(const Json& values) {
  const auto numbers = values.get<std::vector<double>>();
  return at::tensor(numbers, at::kDouble) / numbers.front();
}

}  // namespace

void draw_scaling(const std::filesystem::path& measurements, const std::filesystem::path& picture) {
  const Json curves = read_json(measurements).at("curves");
  plot::Figure figure({.width = 760, .height = 560});
  plot::Axes& axes = figure.axes();
  axes.title = "Time against size, each relative to its first point";
  axes.x = {.label = "steps, batch or data (relative)", .scale = plot::Scale::logarithmic};
  axes.y = {.label = "time (relative)", .scale = plot::Scale::logarithmic};
  double largest = 1;
  for (size_t i = 0; i < curves.size(); ++i) {
    const Tensor x = relative(curves[i].at("sizes")), y = relative(curves[i].at("seconds"));
    const auto colour = figure.options().theme.series(i);
    const auto dash = i < figure.options().theme.palette.size() ? plot::Dash::solid : plot::Dash::dashed;
    largest = std::max(largest, x.max().item<double>());
    plot::add_line(
        axes, x, y,
        {.label = curves[i].at("name").get<std::string>() + ": " + curves[i].at("growing").get<std::string>(),
         .colour = colour,
         .dash = dash});
    plot::add_scatter(axes, at::stack({x, y}, 1), {.colour = colour, .radius = 2.8, .alpha = 1.0});
  }
  const Tensor ends = at::tensor({1.0, largest});
  plot::add_line(axes, ends, ends,
                 {.label = "linear", .colour = figure.options().theme.muted, .dash = plot::Dash::dotted});
  figure.save(picture);
}

}  // namespace fokker::bench
