#pragma once
#include <functional>

namespace fokker::detail {

/// df/dt at t in [0, 1] of a function on [0, 1], from values of f alone: the derivative of the polynomial of
/// degree 8 through nine points, at the spacing whose estimated error is least. Points stay within [0, 1],
/// one-sided at the ends. The error is below 1e-9 (|f| + |f'|) for f that is smooth on the scale of 0.04
/// (|f^(9)| at most 25^9 |f|), and below 1e-9 |f'| t where f behaves as a power of t next to 0 (or of 1 - t
/// next to 1). Infinite where the derivative diverges as t comes to an end of [0, 1].
double derivative(const std::function<double(double)>& f, double t);

/// The t in [0, 1] at which a strictly decreasing f, which may be infinite at the ends, takes a value;
/// clamped to the ends. Bracketed throughout; as exact as f's own rounding.
double decreasing_root(const std::function<double(double)>& f, double value);

}  // namespace fokker::detail
