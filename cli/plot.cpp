#include <fstream>

#include "cli/plot_convergence.h"
#include "cli/registry.h"
#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/core/progress.h"
#include "fokker/core/spec.h"
#include "fokker/data/load.h"
#include "fokker/plot/charts.h"
#include "fokker/plot/image_grid.h"
#include "fokker/plot/schedule_curves.h"

namespace fokker::cli {
namespace {

struct PlotOptions {
  CommonOptions common;
  std::string kind, out, title, theme = "light";
  std::vector<std::string> inputs;
  int64_t columns = 0;
  StudyOptions study;
  bool table = false;
};

plot::Theme theme_of(const PlotOptions& o) {
  check(o.theme == "light" || o.theme == "dark", "theme: expected light or dark but received '{}'", o.theme);
  return o.theme == "light" ? plot::Theme::light() : plot::Theme::dark();
}

/// Rows of a file, or of "target:TARGET" as many as shown beside it.
Dataset rows_of(const std::string& input, uint64_t seed) {
  if (!input.starts_with("target:")) return load_data(input, {});
  const Tensor values = target_from(input.substr(7))->sample(20'000, Rng(seed).stream("plot"));
  return {.values = values,
          .columns = default_column_names(values.size(1)),
          .labels = {},
          .label_names = {},
          .source = input};
}

void draw_scatter(const PlotOptions& o) {
  std::vector<Dataset> sets;
  for (const auto& input : o.inputs) {
    sets.push_back(rows_of(input, o.common.seed));
    check_input(!sets.back().is_images(), "{}: expected a table but it holds images", input);
  }
  check(sets.size() <= 2, "plot scatter: expected one or two inputs but received {}", sets.size());
  const int64_t dimension = sets[0].values.size(1);
  for (const auto& set : sets)
    check_input(set.values.size(1) == dimension, "{}: expected {} columns but it has {}", set.source,
                dimension, set.values.size(1));
  const plot::ChartOptions chart{.title = o.title, .theme = theme_of(o)};
  if (dimension == 1) return plot::histogram(sets[0].values, chart).save(o.out);
  if (dimension > 2) {
    check(dimension <= 8, "plot scatter: expected at most 8 columns but received {}", dimension);
    plot::ScatterMatrixOptions matrix;
    matrix.title = o.title;
    matrix.theme = theme_of(o);
    if (sets.size() == 2) matrix.second = sets[1].values;
    return plot::scatter_matrix(sets[0].values, sets[0].columns, matrix).save(o.out);
  }
  if (sets.size() == 1) return plot::scatter(sets[0].values, chart).save(o.out);
  plot::scatter_comparison(sets[0].values, sets[1].values, {sets[0].source, sets[1].source}, chart)
      .save(o.out);
}

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
  plot::loss_curves(series,
                    {.chart = {.title = o.title, .x_label = "step", .y_label = "loss", .theme = theme_of(o)},
                     .log_y = true})
      .save(o.out);
}

void draw_convergence(const PlotOptions& o) {
  check(o.inputs.size() <= 1, "plot convergence: expected one run folder or --target but received {} inputs",
        o.inputs.size());
  StudyOptions study = o.study;
  if (!o.inputs.empty()) study.run = o.inputs[0];
  show_study(study, {.out = o.out, .title = o.title, .theme = theme_of(o), .table = o.table}, o.common);
}

void draw_schedule(const PlotOptions& o) {
  std::vector<plot::NamedSchedule> schedules;
  for (const auto& spec : split_specs(o.study.process.empty() ? "vp" : o.study.process))
    schedules.push_back({spec, make_schedule(spec)});
  plot::schedule_curves(schedules, {.title = o.title, .theme = theme_of(o)}).save(o.out);
}

struct Kind {
  std::string name;
  void (*draw)(const PlotOptions&);
  bool needs_input = true, needs_out = true;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> table = {{"scatter", draw_scatter},
                                          {"grid", draw_grid},
                                          {"loss", draw_loss},
                                          {"convergence", draw_convergence, false, false},
                                          {"schedule", draw_schedule, false}};
  return table;
}

std::string kind_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  return join(names);
}

int run_plot(const PlotOptions& o) {
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.name == o.kind; });
  if (kind == kinds().end())
    fail(ErrorKind::argument, "unknown plot '{}'; valid names: {}", o.kind, kind_names());
  check(!kind->needs_input || !o.inputs.empty(), "plot {}: expected an input", o.kind);
  check(!kind->needs_out || !o.out.empty(), "plot {}: expected --out PICTURE", o.kind);
  kind->draw(o);
  if (!o.out.empty()) message("wrote " + o.out);
  return 0;
}

}  // namespace

void add_plot(CommandLine& line) {
  add_command<PlotOptions>(
      line,
      {"plot", "Draw a picture: " + kind_names(),
       "fokker plot scatter data.csv samples.csv --out picture.png\n  "
       "fokker plot convergence --target two-modes --process vp --out orders.png\n  "
       "fokker plot convergence run --evaluations 5,10,20,40 --out errors.png --table"},
      [](Command& c, PlotOptions& o) {
        c.option("kind", o.kind, "What to draw: " + kind_names(), Command::Need::required);
        c.option("inputs", o.inputs, "Files, or target:TARGET; a run folder for loss and convergence");
        c.option("--out", o.out, "Picture: .png, .svg or .pdf");
        c.option("--title", o.title, "Title");
        c.option("--theme", o.theme, "light or dark");
        c.option("--columns", o.columns, "Images per row of a grid; 0 chooses");
        describe_study(c, o.study, o.table);
      },
      [](const PlotOptions& o, const Command&) { return run_plot(o); });
}

}  // namespace fokker::cli
