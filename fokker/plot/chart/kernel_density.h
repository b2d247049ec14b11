#pragma once
#include <optional>

#include "fokker/plot/mark/heatmap.h"

namespace fokker::plot {

/// The bandwidth of a Gaussian kernel for values (n) in d dimensions: s (4 / ((d + 2) n))^{1/(d+4)}
/// (Silverman, "Density Estimation", 1986, eq. 4.14). The scale s is that of the shortest interval that holds
/// a quarter of the values, which several modes do not widen, or the standard deviation where less. Input
/// error where all values are equal.
double kernel_bandwidth(const Tensor& values, int64_t dimension = 1);

/// The density of values (n) by a Gaussian kernel, as the mean over each of `cells` cells of a range. Without
/// a bandwidth the rule above decides.
Tensor kernel_density(const Tensor& values, Range range, int64_t cells,
                      std::optional<double> bandwidth = std::nullopt);

/// The density of points (n, 2) on the cells of `grid_points`, (rows, columns), by a product of kernels.
Tensor kernel_density(const Tensor& points, Extent extent, int64_t rows, int64_t columns);

}  // namespace fokker::plot
