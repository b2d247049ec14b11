#pragma once
#include <optional>
#include <string>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

/// A histogram of numbers, float64: `edges` (bins + 1), `counts` (bins) and `density` (bins), which
/// integrates to 1.
struct Histogram {
  Tensor edges;
  Tensor counts;
  Tensor density;
};

struct HistogramOptions {
  std::string label = {};
  std::optional<SeriesColour> colour = {};
  int64_t bins = 0;                 ///< 0: by the rule of Freedman and Diaconis (1981), between 10 and 200
  std::optional<Range> range = {};  ///< of the values where absent; values outside are left out
  bool fill = true;                 ///< false: the outline alone
};

/// Counts values (n); a value on an inner edge belongs to the bin on its right. Input error where none lies
/// in the range or one is not finite.
Histogram make_histogram(const Tensor& values, int64_t bins = 0, std::optional<Range> range = std::nullopt);

/// Adds the histogram of values (n), as a density.
void add_histogram(Axes& axes, const Tensor& values, const HistogramOptions& options = {});

struct BarOptions {
  std::string label = {};
  std::optional<SeriesColour> colour = {};
  std::optional<double> width = {};  ///< in units of x; 0.8 of the least distance where absent
};

/// Adds a bar from 0 to heights (n) at each of positions (n).
void add_bars(Axes& axes, const Tensor& positions, const Tensor& heights, const BarOptions& options = {});

}  // namespace fokker::plot
