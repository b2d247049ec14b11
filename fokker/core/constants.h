#pragma once
#include <cmath>
#include <numbers>

namespace fokker {

/// log 2 pi, of every Gaussian density.
inline const double log_two_pi = std::log(2 * std::numbers::pi);

}  // namespace fokker
