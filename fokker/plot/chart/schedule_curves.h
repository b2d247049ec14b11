#pragma once
#include <string>
#include <vector>

#include "fokker/plot/chart/charts.h"
#include "fokker/process/schedule.h"

namespace fokker::plot {

struct NamedSchedule {
  std::string name;
  Schedule schedule;
};

/// What defines a noising process, over t in (0, 1), one line for each: alpha, sigma, the log-SNR, and g^2,
/// which is beta for variance preserving processes. g^2 is on a logarithmic axis, sigma where one exceeds 2.
Figure schedule_curves(const std::vector<NamedSchedule>& schedules, const ChartOptions& options = {});

}  // namespace fokker::plot
