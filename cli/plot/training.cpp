// fokker plot grid, loss and schedule: what goes into training and how it went.
#include "cli/command/plot.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/plot/chart/schedule_curves.h"
#include "fokker/plot/mark/image_grid.h"
#include "fokker/report/report.h"
#include "fokker/train/run_folder.h"

namespace fokker::cli {

void draw_grid(const PlotOptions& o) {
  check(o.inputs.size() == 1, "plot grid: expected one input but received {}", o.inputs.size());
  DataOptions reading = o.reading;
  const std::vector<std::string> per_row = std::exchange(reading.columns, {});
  check(per_row.size() <= 1, "columns: expected one number of images per row but received {}",
        per_row.size());
  const int64_t columns = per_row.empty() || per_row[0] == "0" ? 0 : parse_counts("columns", per_row[0])[0];
  const Dataset data = read_data_file(o.inputs[0], reading.load_options());
  check_input(data.is_images(), "{}: expected images but it holds rows of shape {}", o.inputs[0],
              shape_string(data.event_shape()));
  const int64_t shown = std::min<int64_t>(data.size(), 400);
  plot::save_image_grid(o.out, data.values.narrow(0, 0, shown), {.columns = columns});
}

void draw_loss(const PlotOptions& o) {
  check(o.inputs.size() == 1, "plot loss: expected one run folder but received {}", o.inputs.size());
  const auto metrics = read_metrics(std::filesystem::path(o.inputs[0]) / "metrics.jsonl");
  check_input(!metrics.empty(), "{}/metrics.jsonl: expected at least one line", o.inputs[0]);
  plot::ChartOptions chart = chart_of(o.picture);
  chart.x_label = "step";
  chart.y_label = "loss";
  plot::loss_curves(report::loss_series(metrics, "held out"), {.chart = chart, .log_y = true}).save(o.out);
}

void draw_schedule(const PlotOptions& o) {
  std::vector<plot::NamedSchedule> schedules;
  for (const auto& spec : split_specs(o.study.process.empty() ? "vp" : o.study.process))
    schedules.push_back({spec, make_schedule(spec)});
  plot::schedule_curves(schedules, chart_of(o.picture)).save(o.out);
}

}  // namespace fokker::cli
