// fokker plot grid, loss and schedule: what goes into training and how it went.
#include <fstream>

#include "cli/plot.h"
#include "cli/registry.h"
#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/data/load.h"
#include "fokker/plot/image_grid.h"
#include "fokker/plot/schedule_curves.h"

namespace fokker::cli {

void draw_grid(const PlotOptions& o) {
  check(o.inputs.size() == 1, "plot grid: expected one input but received {}", o.inputs.size());
  const Dataset data = load_data(o.inputs[0], {});
  check_input(data.is_images(), "{}: expected images but it holds rows of shape {}", o.inputs[0],
              shape_string(data.event_shape()));
  const int64_t shown = std::min<int64_t>(data.size(), 400);
  plot::save_image_grid(o.out, data.values.narrow(0, 0, shown), {.columns = o.columns});
}

void draw_loss(const PlotOptions& o) {
  check(o.inputs.size() == 1, "plot loss: expected one run folder but received {}", o.inputs.size());
  const std::filesystem::path file = std::filesystem::path(o.inputs[0]) / "metrics.jsonl";
  std::istringstream lines(read_file(file));
  std::vector<double> steps, losses, held_steps, held_losses;
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    check_input(++number && json.is_object() && json.contains("step") && json.contains("loss"),
                "{}: line {}: expected an object with step and loss", file.string(), number);
    steps.push_back(json["step"].get<double>());
    losses.push_back(json["loss"].get<double>());
    if (!json.contains("held_out_loss")) continue;
    held_steps.push_back(steps.back());
    held_losses.push_back(json["held_out_loss"].get<double>());
  }
  check_input(!steps.empty(), "{}: expected at least one line", file.string());
  std::vector<plot::LossSeries> series{{"training", at::tensor(steps), at::tensor(losses)}};
  if (!held_steps.empty()) series.push_back({"held out", at::tensor(held_steps), at::tensor(held_losses)});
  plot::ChartOptions chart = chart_of(o.picture);
  chart.x_label = "step";
  chart.y_label = "loss";
  plot::loss_curves(series, {.chart = chart, .log_y = true}).save(o.out);
}

void draw_schedule(const PlotOptions& o) {
  std::vector<plot::NamedSchedule> schedules;
  for (const auto& spec : split_specs(o.study.process.empty() ? "vp" : o.study.process))
    schedules.push_back({spec, make_schedule(spec)});
  plot::schedule_curves(schedules, chart_of(o.picture)).save(o.out);
}

}  // namespace fokker::cli
