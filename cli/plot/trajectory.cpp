// fokker plot trajectory: the states of a simulation or of a sampling run.
#include <cmath>

#include "cli/command/plot.h"
#include "cli/law.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/data/array/npy.h"
#include "fokker/plot/chart/path_picture.h"
#include "fokker/plot/mark/image_grid.h"

namespace fokker::cli {
namespace {

/// (times, n, d) of a file (times, n, d) or (times, n).
Tensor load_states(const std::string& file) {
  const Tensor states = load_npy(file);
  check_input(states.dim() >= 2 && states.numel() > 0,
              "{}: expected states of shape (steps + 1, n, d) but it has {}", file, shape_string(states));
  return states.dim() == 2 ? states.unsqueeze(2) : states;
}

/// The time of each state: numbers of steps, or evenly between two times, or all given.
std::vector<double> path_times(const PlotOptions& o, int64_t states) {
  const auto steps = static_cast<double>(std::max<int64_t>(1, states - 1));
  std::vector<double> given =
      o.path_times.empty() ? std::vector<double>{0, steps} : parse_numbers("times", o.path_times);
  if (static_cast<int64_t>(given.size()) == states) return given;
  check(given.size() == 2, "times: expected 2 times or one for each of the {} states but received {}", states,
        given.size());
  std::vector<double> times;
  for (int64_t i = 0; i < states; ++i)
    times.push_back(std::lerp(given[0], given[1], static_cast<double>(i) / steps));
  return times;
}

/// A row for each of some samples, a column for each of some times.
void draw_images(const PlotOptions& o, const Tensor& states) {
  check(o.film.file.empty(), "plot trajectory: paths of images are drawn as a grid; --animate needs points");
  constexpr int64_t most_rows = 8, most_columns = 10;
  const int64_t rows = std::min(most_rows, states.size(1)), columns = std::min(most_columns, states.size(0));
  std::vector<Tensor> images;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < columns; ++i)
      images.push_back(states[columns > 1 ? i * (states.size(0) - 1) / (columns - 1) : 0][row]);
  plot::save_image_grid(o.out, at::stack(images), {.columns = columns});
}

}  // namespace

void draw_trajectory(const PlotOptions& o) {
  check(o.inputs.size() == 1, "plot trajectory: expected one .npy file but received {} inputs",
        o.inputs.size());
  check(!o.out.empty() || !o.film.file.empty(), "plot trajectory: expected --out PICTURE or --animate FILE");
  check(o.study.target.empty() || !o.path_times.empty(),
        "plot trajectory: the density of --target needs the times of the states; expected --times, such as "
        "0,1 or 1,0");
  const Tensor states = load_states(o.inputs[0]);
  if (states.dim() == 5) return draw_images(o, states);
  check_input(states.dim() == 3, "{}: expected states of shape (steps + 1, n, d) but it has {}", o.inputs[0],
              shape_string(states));
  const auto times = path_times(o, states.size(0));
  const auto density = exact_density(o.study.target, o.study.process, o.reading.load_options());
  const char* time_name = o.path_times.empty() ? "step" : "t";
  const plot::ChartOptions chart = chart_of(o.picture);
  if (!o.out.empty())
    plot::path_picture(states, times, density,
                       {.chart = chart, .time_name = time_name, .highlighted = o.highlight})
        .save(o.out);
  if (!o.film.file.empty())
    save_film(o.film, {states, times, density, {.chart = chart, .time_name = time_name}});
}

}  // namespace fokker::cli
