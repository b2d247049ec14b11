#pragma once
#include <string>

#include "fokker/core/text/json.h"
#include "fokker/evaluate/calibration.h"
#include "fokker/plot/figure/figure.h"

namespace fokker::cli {

Json calibration_json(const Calibration& calibration);
/// A line for each column, and the verdict.
std::string calibration_text(const Calibration& calibration);
/// Histograms of the ranks with the band in which 99 % of the bins of exact draws lie, and the coverage of
/// credible regions; at most 8 columns.
plot::Figure calibration_figure(const Calibration& calibration);

}  // namespace fokker::cli
