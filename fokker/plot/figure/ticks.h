#pragma once
#include <string>
#include <vector>

#include "fokker/plot/canvas/geometry.h"

namespace fokker::plot {

/// Where an axis is marked and what stands there. Labels are markup for `parse_label`.
struct Ticks {
  std::vector<double> positions = {};
  std::vector<std::string> labels;
  /// What every label leaves out and the axis says once: an offset such as "+10^{6}" where the values share a
  /// long leading part, or a factor such as "×10^{−6}"; else empty.
  std::string common = {};
};

/// The smallest step of the form {1, 2, 5} x 10^k that divides `span` into at most `intervals` parts.
double nice_step(double span, int intervals);

/// Multiples of a nice step inside the limits, at most `intervals` + 1 of them. `factored` takes a power of
/// ten out of the labels, for axes where they would be too wide.
Ticks linear_ticks(Range limits, int intervals, bool factored = false);

/// Powers of ten inside the limits (every second or third where there are many); over less than two decades
/// also 2 and 5 times them; over a very short range as `linear_ticks`. Limits must be positive.
Ticks logarithmic_ticks(Range limits, int intervals);

/// A number as a label, in six significant digits: "0", "−0.5", "1200", "10^{6}", "2.5×10^{−9}".
std::string format_number(double value);

}  // namespace fokker::plot
