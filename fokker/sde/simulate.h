#pragma once
#include <optional>
#include <vector>

#include "fokker/sde/brownian.h"
#include "fokker/sde/sde.h"

namespace fokker {

/// Methods for Ito diffusions; strong and weak orders of convergence in the step as in Kloeden and Platen,
/// "Numerical Solution of Stochastic Differential Equations" (1992), chapters 10 and 14.
enum class SdeMethod {
  euler_maruyama,  ///< strong 1/2 (1 where sigma does not depend on x), weak 1; Euler's method without noise
  milstein,        ///< strong 1, weak 1; where no Levy area is needed, see `simulate`
  runge_kutta_4,   ///< order 4, only without noise
};

/// What an observer sees at each time, the first included.
struct SdeState {
  int64_t step = 0;
  double t = 0;
  const Tensor& x;
};

struct SimulateOptions {
  /// Where empty: Euler-Maruyama with noise, the classical Runge-Kutta method without.
  std::optional<SdeMethod> method = {};
  WienerIncrements noise = {};  ///< needed where the process has noise
  int64_t first_sample = 0;     ///< index of the first row: keys its noise
  std::function<void(const SdeState&)> observer = {};
};

/// Carries x0 (n, d) through the times, one step per interval, and returns the state at the last one, (n, d)
/// in the dtype of x0. The times increase; without noise they may also decrease throughout.
///
/// Milstein's method applies to scalar dispersions, to diagonal ones whose entry i depends on x_i alone and
/// to (d, 1) matrices; others are refused. No gradients are recorded. Argument errors also name what is
/// missing; a state that is not finite ends the run with an error that names the step.
Tensor simulate(const Sde& sde, const Tensor& x0, const std::vector<double>& times,
                const SimulateOptions& options = {});

/// begin, ..., end in `steps` equal intervals.
std::vector<double> uniform_times(double begin, double end, int64_t steps);

}  // namespace fokker
