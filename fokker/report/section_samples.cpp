#include <algorithm>

#include "fokker/plot/chart/charts.h"
#include "fokker/plot/mark/image_grid.h"
#include "fokker/report/sections.h"

namespace fokker::report {
namespace {

constexpr int64_t kMatrixColumns = 6;
constexpr int kPanelWidth = 460;
constexpr int kLabels = 80;  // pixels beside and below a panel

Figure image_figure(const Tensor& images, int64_t count, const std::string& what) {
  const Tensor shown = images.narrow(0, 0, std::min(count, images.size(0)));
  const Tensor grid = plot::image_grid(shown, {.background = 128});
  const double scale = std::max(1.0, std::round(440.0 / static_cast<double>(grid.size(2))));
  return {.picture = embed_pixels(grid, fmt::format("A grid of {} {}.", shown.size(0), what), scale),
          .caption = fmt::format("{} {}.", shown.size(0), what)};
}

void image_samples(Page& page, const Material& m) {
  const int64_t shown = std::min<int64_t>(36, m.samples.size(0));
  std::vector<Figure> figures;
  if (m.has_data()) figures.push_back(image_figure(m.data, shown, m.data_name));
  figures.push_back(image_figure(m.samples, shown, "samples"));
  page.figures(figures);
}

/// Two columns as points, data and samples on the same axes.
void plane_samples(Page& page, const Material& m) {
  const Tensor left = m.has_data() ? m.data : m.samples;
  // The comparison's own proportions, in half the width of the page.
  const plot::FigureOptions usual = plot::scatter_comparison(left, m.samples, {"", ""}).options();
  const int height =
      kLabels + (usual.height - kLabels) * (kPanelWidth - kLabels) / (usual.width / 2 - kLabels);
  const auto draw = [&](int column) {
    return [&, column](const plot::Theme& theme) {
      const plot::ChartOptions chart{.x_label = m.names[0], .y_label = m.names[1], .theme = theme};
      const plot::Figure both = plot::scatter_comparison(left, m.samples, {m.data_name, "samples"}, chart);
      return panel(both, 0, column, kPanelWidth, height);
    };
  };
  const auto alt = [&](const Tensor& points, const std::string& what) {
    return fmt::format("Scatter plot of {} {} in the plane of {} and {}.", thousands(points.size(0)), what,
                       m.names[0], m.names[1]);
  };
  std::vector<Figure> figures;
  if (m.has_data())
    figures.push_back({.picture = embed(draw(0), alt(m.data, m.data_name), plot::ImageFormat::png)});
  figures.push_back({.picture = embed(draw(1), alt(m.samples, "samples"), plot::ImageFormat::png)});
  page.figures(figures);
}

void matrix_samples(Page& page, const Material& m) {
  const int64_t shown = std::min(m.columns(), kMatrixColumns);
  const std::vector<std::string> names(m.names.begin(), m.names.begin() + shown);
  const Tensor samples = m.samples.narrow(1, 0, shown);
  const auto draw = [&](const plot::Theme& theme) {
    if (!m.has_data()) return plot::scatter_matrix(samples, names, {.theme = theme});
    return plot::scatter_matrix(m.data.narrow(1, 0, shown), names,
                                {.second = samples, .labels = {m.data_name, "samples"}, .theme = theme});
  };
  const std::string which =
      shown < m.columns() ? fmt::format("the first {} of {} columns", shown, m.columns()) : "all columns";
  const std::string over = m.has_data() ? fmt::format("samples over {}", m.data_name) : "samples";
  page.wide_figure(
      {.picture = embed(
           draw,
           fmt::format("Scatter plots of every pair of {}, {}; histograms on the diagonal.", which, over),
           plot::ImageFormat::png),
       .caption =
           fmt::format("Every pair of {}: {}; on the diagonal the density of each column.", which, over)});
}

}  // namespace

namespace {

/// What they were drawn given.
std::string given_text(const Material& m) {
  if (!m.run.model.condition.any()) return "";
  return m.run.data ? ", each given the conditions of a row of the data," : ", without regard to conditions,";
}

}  // namespace

void add_samples(Page& page, const Material& m) {
  page.section(m.has_data() ? "Samples beside data" : "Samples");
  if (!m.has_data()) page.note("The data is not shown: " + m.run.why_no_data);
  const std::string kind = m.images() ? "images" : "rows";
  page.paragraph(
      fmt::format("{} {} drawn from the model{}. The sampler is UniPC of order 3 with {} steps.",
                  thousands(m.samples.size(0)), kind + given_text(m),
                  m.has_data() ? fmt::format(", beside {} {}", thousands(m.data.size(0)), m.data_name) : "",
                  m.times.size() - 1));
  if (m.images()) return image_samples(page, m);
  if (m.columns() == 2) return plane_samples(page, m);
  if (m.columns() > 2) return matrix_samples(page, m);
}

namespace {

std::string p_value(double p) {
  return p < 0.001 ? fmt::format("{:.2g}", p) : fmt::format("{:.3f}", p);
}

Json comparison_summary(const Material& m, const Comparison& c) {
  Json json = {{"samples", c.samples},
               {"reference", c.reference},
               {"reference_is", m.data_name},
               {"energy_distance", c.energy_distance},
               {"mmd", c.mmd},
               {"sliced_wasserstein", c.sliced_wasserstein},
               {"p_value", c.verdict.p_value},
               {"decided_by", c.verdict.decided_by},
               {"tested_samples", c.verdict.samples},
               {"tested_reference", c.verdict.reference},
               {"copies", c.copies.rows},
               {"mean_error_relative", c.mean_error_relative},
               {"covariance_error_relative", c.covariance_error_relative}};
  if (!c.classifier) return json;
  json["c2st_accuracy"] = c.classifier->accuracy;
  json["c2st_standard_error"] = c.classifier->standard_error;
  return json;
}

/// What was tested, on which rows, and what it says.
std::string verdict_text(const Material& m, const Comparison& c) {
  const Verdict& v = c.verdict;
  const bool all = v.samples == c.samples && v.reference == c.reference;
  std::string text = fmt::format(
      "{} samples against {} {}; the tests use {}. A verdict is the strictest of several tests, corrected "
      "for their "
      "number: if both sets came from one law its p-value would be uniform on (0, 1) or larger, and a small "
      "one says "
      "that the two can be told apart. Here p = {}; the strictest test: {}.",
      thousands(c.samples), thousands(c.reference), m.data_name,
      all ? std::string("all of them")
          : fmt::format("{} and {} of them at random", thousands(v.samples), thousands(v.reference)),
      p_value(v.p_value), v.decided_by);
  if (c.copies.beyond_chance)
    text += fmt::format(" {} samples are copies of {}, where chance would give {:.0f}.",
                        thousands(c.copies.rows), m.data_name, c.copies.expected);
  return text;
}

using Rows = std::vector<std::vector<std::string>>;

Rows test_rows(const Material& m, const Comparison& c) {
  const Verdict& v = c.verdict;
  Rows rows{{"Verdict", p_value(v.p_value), "uniform, or larger"},
            {"Energy distance: random relabellings", p_value(v.energy), "uniform"}};
  std::string columns = "Each column: ranks and exact values";
  const auto least = std::min_element(v.by_column.begin(), v.by_column.end(),
                                      [](const auto& a, const auto& b) { return a.p_value < b.p_value; });
  if (least->p_value < 0.05 && !m.images())
    columns += fmt::format(" (most: {}, {})", m.names[static_cast<size_t>(least->column)], least->kind);
  rows.push_back({columns, p_value(v.columns), "uniform"});
  if (v.pairs_tested > 0)
    rows.push_back({v.pairs_tested == v.pairs_possible
                        ? "Each pair of columns: ranks"
                        : fmt::format("{} of {} pairs of columns: ranks", thousands(v.pairs_tested),
                                      thousands(v.pairs_possible)),
                    p_value(v.pairs), "uniform"});
  rows.push_back({"Rows that are repeated", p_value(v.repeated_rows), "uniform"});
  if (c.classifier)
    rows.push_back({fmt::format("Accuracy of a classifier (by {})", c.classifier->rule),
                    fmt::format("{:.3f} ± {:.3f}", c.classifier->accuracy, c.classifier->standard_error),
                    "0.5"});
  return rows;
}

}  // namespace

void add_comparison(Page& page, const Material& m, Json& summary) {
  if (!m.comparison && m.has_data())
    page.note(fmt::format("Samples and data are not compared: that takes {} rows, and there {} {}.",
                          kFewestCompared, m.data.size(0) == 1 ? "is" : "are", m.data.size(0)));
  if (!m.comparison) return;
  const Comparison& c = *m.comparison;
  summary["comparison"] = comparison_summary(m, c);
  page.heading("How far apart");
  page.paragraph(verdict_text(m, c));
  const bool common = c.unit == DistanceUnit::common;
  const std::string in_units = m.images() ? "pixel values from −1 to 1" : "standard deviations";
  Rows rows = test_rows(m, c);
  const Rows distances = {
      {"Energy distance", number(c.energy_distance), "about 0"},
      {"Squared maximum mean discrepancy", number(c.mmd), "about 0"},
      {"Sliced Wasserstein distance", number(c.sliced_wasserstein), "small"},
      {fmt::format("Largest error of a mean, in {}", in_units),
       number(m.images() ? c.mean_error : c.mean_error_relative), "about 0"},
      {fmt::format("Largest error of a covariance, in {}", m.images() ? in_units : "products of them"),
       number(m.images() ? c.covariance_error : c.covariance_error_relative), "about 0"}};
  rows.insert(rows.end(), distances.begin(), distances.end());
  page.table(
      {.caption = common ? "p-values of tests, and distances in units of the pixels' mean deviation"
                         : "p-values of tests, and distances on columns divided by the standard deviation "
                           "of the data",
       .columns = {"Measure", "Value", "If equal"},
       .rows = rows});
}

}  // namespace fokker::report
