#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/figure/figure.h"
#include "fokker/plot/mark/scatter.h"

/// Whole figures for the usual questions, each in one call.
namespace fokker::plot {

struct ChartOptions {
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
  std::optional<Range> x_limits = {};
  std::optional<Range> y_limits = {};
  Theme theme = Theme::light();
  int width = 0;  ///< pixels; 0: what suits the chart
  int height = 0;
};

/// A page for a chart: in its theme, and of its size where it names one.
FigureOptions page_of(const ChartOptions& chart, int width, int height);

/// Whether one unit can be as long on both axes: the ranges differ at most fourfold.
bool similar(Range x, Range y);

/// Points (n, 2). One unit is as long on both axes, unless the ranges differ more than fourfold.
Figure scatter(const Tensor& points, const ChartOptions& options = {}, const ScatterOptions& style = {});

/// Two sets of points, (n, 2) and (m, 2), side by side with the same limits: samples beside data.
Figure scatter_comparison(const Tensor& left, const Tensor& right, const std::array<std::string, 2>& titles,
                          const ChartOptions& options = {}, const ScatterOptions& style = {});

/// Every pair of columns of a table (n, d), 2 <= d <= 8, as scatter plots, with histograms on the diagonal.
struct ScatterMatrixOptions {
  Tensor second = {};  ///< another table (m, d) drawn over the first, if defined
  std::array<std::string, 2> labels{"data", "samples"};
  std::string title = {};
  Theme theme = Theme::light();
  int panel_size = 150;  ///< pixels
};
Figure scatter_matrix(const Tensor& values, const std::vector<std::string>& columns,
                      const ScatterMatrixOptions& options = {});

/// The density of numbers, (n) or (n, 1), as a histogram; `bins` 0 chooses by itself.
Figure histogram(const Tensor& values, const ChartOptions& options = {}, int64_t bins = 0);

/// A quantity over steps of training: steps (k), values (k).
struct LossSeries {
  std::string name = {};
  Tensor steps;
  Tensor values;
};

struct LossOptions {
  ChartOptions chart = {};
  bool log_y = false;
  /// Width of the exponential moving average drawn over the faint raw values, as a fraction of the series;
  /// 0 draws the raw values alone.
  double smoothing = 0.02;
};
Figure loss_curves(const std::vector<LossSeries>& series, const LossOptions& options = {});

/// The exponential moving average of values (k) over about `window` of them, corrected for its start.
Tensor moving_average(const Tensor& values, double window);

}  // namespace fokker::plot
