#include "cli/command/plot.h"

#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"

namespace fokker::cli {
namespace {

void draw_convergence(const PlotOptions& o) {
  check(o.inputs.size() <= 1, "plot convergence: expected one run folder or --target but received {} inputs",
        o.inputs.size());
  StudyOptions study = o.study;
  study.reading = o.reading.load_options();
  if (!o.inputs.empty()) study.run = o.inputs[0];
  show_study(study, {.out = o.out, .title = o.picture.title, .theme = theme_of(o.picture), .table = o.table},
             o.common);
}

struct PictureKind {
  std::string name;
  void (*draw)(const PlotOptions&);
  enum class Input { file, file_or_target, optional } input = Input::file;
  bool needs_out = true;
};

const std::vector<PictureKind>& picture_kinds() {
  using Input = PictureKind::Input;
  static const std::vector<PictureKind> table = {{"scatter", draw_scatter},
                                                 {"density", draw_density, Input::file_or_target},
                                                 {"score-field", draw_score_field, Input::file_or_target},
                                                 {"trajectory", draw_trajectory, Input::file, false},
                                                 {"grid", draw_grid},
                                                 {"loss", draw_loss},
                                                 {"convergence", draw_convergence, Input::optional, false},
                                                 {"schedule", draw_schedule, Input::optional}};
  return table;
}

std::string kind_names() {
  std::vector<std::string> names;
  for (const PictureKind& kind : picture_kinds()) names.push_back(kind.name);
  return join(names);
}

/// Which kinds take an option, where not all do.
struct Takers {
  std::vector<std::string> options, kinds;
};

const std::vector<Takers>& takers() {
  static const std::vector<Takers> table = {
      {{"columns"}, {"scatter", "density", "score-field", "trajectory", "convergence", "grid"}},
      {{"separator", "header", "decimal", "encoding"},
       {"scatter", "density", "score-field", "trajectory", "convergence"}},
      {{"channels", "size", "flip"}, {"grid", "convergence"}},
      {{"time", "limits"}, {"density", "score-field"}},
      {{"over-time", "contours", "resolution"}, {"density"}},
      {{"arrows", "data"}, {"score-field"}},
      {{"highlight", "times", "animate", "frames", "frame-rate", "loops", "hold"}, {"trajectory"}},
      {{"target"}, {"density", "score-field", "trajectory", "convergence"}},
      {{"process"}, {"density", "score-field", "trajectory", "convergence", "schedule"}},
      {{"samplers", "measure", "steps", "evaluations", "grid", "start", "end", "samples", "reference",
        "reference-steps", "table"},
       {"convergence"}},
      {{"title", "theme"},
       {"scatter", "density", "score-field", "trajectory", "loss", "convergence", "schedule"}},
      {{"width", "height"}, {"scatter", "density", "score-field", "trajectory", "loss", "schedule"}}};
  return table;
}

void check_used(const PlotOptions& o, const Command& command) {
  for (const auto& [options, kinds] : takers())
    if (std::find(kinds.begin(), kinds.end(), o.kind) == kinds.end())
      command.refuse(options, fmt::format("plot {} does not take it; expected plot {}", o.kind, join(kinds)));
  if (o.kind == "trajectory" && o.film.file.empty()) refuse_film(command);
}

int run_plot(const PlotOptions& o, const Command& command) {
  const auto kind = std::find_if(picture_kinds().begin(), picture_kinds().end(),
                                 [&](const PictureKind& k) { return k.name == o.kind; });
  if (kind == picture_kinds().end())
    fail(ErrorKind::argument, "unknown plot '{}'; valid names: {}", o.kind, kind_names());
  check(kind->input != PictureKind::Input::file || !o.inputs.empty(), "plot {}: expected an input", o.kind);
  check(kind->input != PictureKind::Input::file_or_target || !o.inputs.empty() || !o.study.target.empty(),
        "plot {}: expected an input or --target", o.kind);
  check(!kind->needs_out || !o.out.empty(), "plot {}: expected --out PICTURE", o.kind);
  check_used(o, command);
  theme_of(o.picture);
  check_picture(o.out);
  check_film(o.film);
  kind->draw(o);
  if (!o.out.empty()) message("wrote " + o.out);
  return 0;
}

}  // namespace

std::string subject_of(const PlotOptions& o) {
  check(o.inputs.size() + (o.study.target.empty() ? 0 : 1) == 1, "plot {}: expected one file or --target",
        o.kind);
  return o.inputs.empty() ? o.study.target : "data:" + o.inputs[0];
}

void add_plot(CommandLine& line) {
  add_command<PlotOptions>(
      line,
      {"plot", "Draw a picture: " + kind_names(),
       "fokker plot scatter data.csv samples.csv --out picture.png\n  "
       "fokker plot density --target two-modes --process vp --time 0,0.2,0.5,1 --out laws.png\n  "
       "fokker plot density samples.csv --out density.png\n  "
       "fokker plot score-field --target two-modes --process vp --time 0.3 --out score.png\n  "
       "fokker plot score-field run --time 0.3 --data points.csv --out score.png\n  "
       "fokker plot trajectory paths.npy --out paths.png --animate paths.webp\n  "
       "fokker plot schedule --process vp,vp-cosine,flow --out schedules.svg --theme dark\n  "
       "fokker plot convergence --target two-modes --process vp --out orders.png\n  "
       "fokker plot convergence run --evaluations 5,10,20,40 --out errors.png --table"},
      [](Command& c, PlotOptions& o) {
        c.option("kind", o.kind, "What to draw: " + kind_names(), Command::Need::required);
        c.option("inputs", o.inputs,
                 "Files, or target:TARGET; a run folder for loss, score-field and convergence");
        c.option("--out", o.out, "Picture: .png, .svg or .pdf");
        describe_picture(c, o.picture);
        describe_data(c, o.reading, image_channels_help,
                      std::string(table_columns_help) + "; grid: how many images stand in a row");
        c.heading("Densities and score fields");
        c.option("--time", o.times, "density, score-field: times t in [0, 1]; density takes several");
        c.flag("--over-time", o.over_time, "density: of one coordinate, as an image over all times");
        c.option("--limits", o.limits,
                 "density, score-field: x0,x1 or x0,x1,y0,y1 instead of where the law lies");
        c.option("--contours", o.contours,
                 "density: number of level lines, each at half the next; 0 for none");
        c.option("--resolution", o.resolution, "density: cells along the longer side");
        c.option("--arrows", o.arrows, "score-field: along the longer side");
        c.option("--data", o.data, "score-field of a run: data drawn under the arrows, noised to that time");
        c.heading("Trajectories");
        c.option("--highlight", o.highlight, "trajectory: paths drawn thick");
        c.option(
            "--times", o.path_times,
            "trajectory: the first and the last time, or the time of each state (default: step numbers)");
        describe_film(c, o.film);
        c.heading("Convergence and schedules");
        describe_study(c, o.study, o.table);
      },
      run_plot);
}

}  // namespace fokker::cli
