#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

struct BandOptions {
  std::string label = {};
  std::optional<SeriesColour> colour = {};
  double alpha = 0.25;
};

/// Fills the area between two curves over x (k): low (k) <= high (k). Input error where they cross.
void add_band(Axes& axes, const Tensor& x, const Tensor& low, const Tensor& high,
              const BandOptions& options = {});

struct DeviationOptions {
  std::string label = "mean";  ///< of the line; the bands are named by their multiples
  std::optional<SeriesColour> colour = {};
  std::vector<double> multiples = {1, 2};
};

/// Adds the mean (k) over x (k) as a line, and mean ± c deviation for each multiple c, the wider the fainter.
/// Input error where a deviation is negative.
void add_deviation_bands(Axes& axes, const Tensor& x, const Tensor& mean, const Tensor& deviation,
                         const DeviationOptions& options = {});

}  // namespace fokker::plot
