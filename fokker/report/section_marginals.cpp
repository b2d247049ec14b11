#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/report/sections.h"

namespace fokker::report {
namespace {

constexpr int64_t kMostColumns = 12;
constexpr int64_t kMostPixels = 100'000;

/// Data as filled bars and samples as an outline over the same bins.
DrawFigure marginal_figure(const Material& m, const Tensor& data, const Tensor& samples,
                           const std::string& label) {
  return [&m, data, samples, label](const plot::Theme& theme) {
    plot::Figure figure({.width = 440, .height = 280, .theme = theme});
    plot::Axes& axes = figure.axes();
    axes.x.label = label;
    axes.y.label = "density";
    plot::Range range = plot::range_of(plot::to_vector(samples));
    if (data.defined()) range = hull(range, plot::range_of(plot::to_vector(data)));
    range = plot::padded_limits(range, plot::Scale::linear, 0);  // a constant column gets a range around it
    const int64_t bins = plot::make_histogram(data.defined() ? data : samples, 0, range).counts.size(0);
    if (data.defined())
      plot::add_histogram(axes, data,
                          {.label = m.data_name, .colour = theme.series(0), .bins = bins, .range = range});
    plot::add_histogram(
        axes, samples,
        {.label = "samples", .colour = theme.series(1), .bins = bins, .range = range, .fill = false});
    return figure;
  };
}

void pixel_marginal(Page& page, const Material& m) {
  const auto values = [](const Tensor& images) {
    const Tensor all = images.reshape({-1}).to(at::kDouble);
    return all.slice(0, 0, all.size(0), std::max<int64_t>(1, all.size(0) / kMostPixels)).contiguous();
  };
  page.figures({{.picture = embed(marginal_figure(m, m.has_data() ? values(m.data) : Tensor(),
                                                  values(m.samples), "value of a pixel, −1 black to 1 white"),
                                  "Histograms of the values of pixels, of data and of samples.")}});
}

/// One row of the table of moments, and the same as JSON.
Json column_json(const Material& m, int64_t column) {
  const Tensor samples = m.samples.select(1, column);
  Json json = {{"column", m.run.model.columns[static_cast<size_t>(column)]},
               {"samples_mean", samples.mean().item<double>()},
               {"samples_deviation", samples.std(false).item<double>()}};
  if (!m.has_data()) return json;
  const Tensor data = m.data.select(1, column);
  json["data_mean"] = data.mean().item<double>();
  json["data_deviation"] = data.std(false).item<double>();
  const double distance = sliced_wasserstein(samples, data, 1, Rng(m.options.seed));
  json["wasserstein"] = distance;
  return json;
}

std::vector<std::string> column_row(const Json& json, const std::string& name) {
  std::vector<std::string> row{name};
  for (const char* key : {"data_mean", "samples_mean", "data_deviation", "samples_deviation", "wasserstein"})
    if (json.contains(key)) row.push_back(number(json[key].get<double>()));
  return row;
}

}  // namespace

void add_marginals(Page& page, const Material& m, Json& summary) {
  page.section(m.images() ? "Values of pixels" : "Each column");
  if (m.images()) return pixel_marginal(page, m);
  const int64_t shown = std::min(m.columns(), kMostColumns);
  if (shown < m.columns()) page.paragraph(fmt::format("The first {} of {} columns.", shown, m.columns()));
  std::vector<Figure> figures;
  Table table{
      .caption =
          "Means, standard deviations and the Wasserstein distance of order 2, in the units of the data",
      .columns = {"Column", "Mean of data", "Mean of samples", "Deviation of data", "Deviation of samples",
                  "Distance"}};
  if (!m.has_data())
    table = {.caption = "Means and standard deviations", .columns = {"Column", "Mean", "Deviation"}};
  summary["columns"] = Json::array();
  for (int64_t i = 0; i < shown; ++i) {
    const std::string& name = m.names[static_cast<size_t>(i)];
    figures.push_back(
        {.picture =
             embed(marginal_figure(m, m.has_data() ? m.data.select(1, i).contiguous() : Tensor(),
                                   m.samples.select(1, i).contiguous(), name),
                   fmt::format("Histogram of {}{}.", name, m.has_data() ? ", data and samples" : ""))});
    summary["columns"].push_back(column_json(m, i));
    table.rows.push_back(column_row(summary["columns"].back(), name));
  }
  page.figures(figures).table(table);
}

}  // namespace fokker::report
