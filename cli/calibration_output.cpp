#include "cli/calibration_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fokker/core/text/text.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::cli {
namespace {

constexpr size_t most_panels = 8;  // columns that are pictured

/// Levels at which curves of coverage are written and drawn.
std::vector<double> curve_levels() {
  std::vector<double> levels;
  for (int i = 0; i <= 50; ++i) levels.push_back(i / 50.0);
  return levels;
}

std::string level_name(double level) {
  return fmt::format("{:g} %", 100 * level);
}

Json test_json(const UniformityTest& test) {
  return {{"statistic", test.statistic}, {"p_value", test.p_value}};
}

Tensor column_of(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::TensorOptions(at::kDouble));
}

void add_histogram_of(plot::Axes& axes, const CalibrationColumn& column, const Calibration& c) {
  const auto bins = std::ssize(column.histogram);
  const double width = 1 / static_cast<double>(bins);
  std::vector<double> places, heights;
  for (int64_t i = 0; i < bins; ++i) {
    places.push_back((static_cast<double>(i) + 0.5) * width);
    heights.push_back(static_cast<double>(column.histogram[static_cast<size_t>(i)]));
  }
  const Tensor ends = column_of({0, 1}), ones = at::ones({2}, at::kDouble);
  plot::add_bars(axes, column_of(places), column_of(heights), {.width = 0.9 * width});
  plot::add_band(axes, ends, ones * static_cast<double>(c.band_low), ones * static_cast<double>(c.band_high),
                 {.label = "99 % of exact draws"});
  axes.title = shown(column.name);
  axes.x = {.label = "rank of the truth", .limits = plot::Range{0, 1}};
  axes.y.label = "rows";
}

/// Coverage of TARP's regions and of central intervals of each column.
void add_coverage(plot::Axes& axes, const Calibration& c) {
  const auto levels = curve_levels();
  const Tensor x = column_of(levels);
  // 99 % of the points of an exact curve, one by one.
  const Tensor error = 2.576 * (x * (1 - x) / static_cast<double>(c.rows)).sqrt();
  plot::add_band(axes, x, (x - error).clamp_min(0), (x + error).clamp_max(1),
                 {.label = "99 % of exact draws"});
  plot::add_line(axes, x, x, {.width = 1, .dash = plot::Dash::dashed});
  plot::add_line(axes, x, column_of(coverage_curve(c.tarp, levels)), {.label = "TARP", .width = 2});
  std::vector<Tensor> each;
  for (const CalibrationColumn& column : c.columns)
    each.push_back(column_of(coverage_curve((column.ranks - 0.5).abs() * 2, levels)));
  plot::add_lines(axes, x, at::stack(each), {.label = "central intervals", .width = 1.2});
  axes.x = {.label = "credibility", .limits = plot::Range{0, 1}};
  axes.y = {.label = "coverage", .limits = plot::Range{0, 1}};
}

}  // namespace

Json calibration_json(const Calibration& c) {
  Json columns = Json::array();
  for (const CalibrationColumn& column : c.columns) {
    Json coverage = Json::object();
    for (size_t i = 0; i < c.levels.size(); ++i)
      coverage[fmt::format("{:g}", c.levels[i])] = {{"coverage", column.coverage[i]},
                                                    {"standard_error", c.coverage_error[i]}};
    columns.push_back({{"column", column.name},
                       {"chi_square", test_json(column.chi_square)},
                       {"kolmogorov", test_json(column.kolmogorov)},
                       {"histogram", column.histogram},
                       {"central_intervals", coverage}});
  }
  return {{"n", c.rows},
          {"draws", c.draws},
          {"p_value", c.p_value},
          {"decided_by", c.decided_by},
          {"columns", columns},
          {"histogram_band", {c.band_low, c.band_high}},
          {"tarp",
           {{"statistic", c.tarp_test.statistic},
            {"p_value", c.tarp_test.p_value},
            {"credibility", curve_levels()},
            {"coverage", coverage_curve(c.tarp, curve_levels())}}}};
}

std::string calibration_text(const Calibration& c) {
  std::string text = fmt::format("{} rows, {} draws of each\n{:<24} {:>10} {:>10}", c.rows, c.draws, "column",
                                 "chi2 p", "KS p");
  for (const double level : c.levels) text += fmt::format(" {:>8}", level_name(level));
  text += "\n";
  for (const CalibrationColumn& column : c.columns) {
    text += fmt::format("{:<24} {:>10.3g} {:>10.3g}", shown(column.name), column.chi_square.p_value,
                        column.kolmogorov.p_value);
    for (const double share : column.coverage) text += fmt::format(" {:>8.3f}", share);
    text += "\n";
  }
  text += fmt::format("{:<24} {:>10} {:>10}", "standard error", "", "");
  for (const double error : c.coverage_error) text += fmt::format(" {:>8.3f}", error);
  return text +
         fmt::format("\nTARP coverage: p = {:.3g}\nof all {} tests, corrected: p = {:.3g} (least: {})\n",
                     c.tarp_test.p_value, 2 * c.columns.size() + 1, c.p_value, c.decided_by);
}

plot::Figure calibration_figure(const Calibration& c) {
  const auto shown_columns = std::min(most_panels, c.columns.size());
  const int panels = static_cast<int>(shown_columns) + 1;
  const int across = panels <= 3 ? panels : 3, down = (panels + across - 1) / across;
  plot::Figure figure(
      {.width = 300 * across + 40, .height = 270 * down + 60, .rows = down, .columns = across});
  for (int i = 0; i < static_cast<int>(shown_columns); ++i)
    add_histogram_of(figure.axes(i / across, i % across), c.columns[static_cast<size_t>(i)], c);
  add_coverage(figure.axes((panels - 1) / across, (panels - 1) % across), c);
  return figure;
}

}  // namespace fokker::cli
