#pragma once
#include <functional>

#include "fokker/core/tensor.h"
#include "fokker/process/gaussian_process.h"

namespace fokker {

/// A function of states x (n, d) at one time t.
using StateFunction = std::function<Tensor(const Tensor& x, double t)>;

/// The dispersion sigma(x, t) of an Ito diffusion, in the simplest form that holds it. a = sigma sigma^T is
/// the diffusion matrix. Where sigma depends on x, write it in tensor operations of x, so that it can be
/// differentiated.
class Dispersion {
 public:
  enum class Kind { none, scalar, diagonal, matrix };

  /// No noise: an ordinary differential equation.
  Dispersion() = default;
  /// sigma(t) I, driven by d Wiener processes.
  static Dispersion scalar(double value);
  static Dispersion scalar(std::function<double(double t)> function);
  /// diag(sigma_1, ..., sigma_d): (x, t) -> (n, d), driven by d Wiener processes.
  static Dispersion diagonal(StateFunction function);
  /// A full matrix: (x, t) -> (n, d, m), or (1, d, m) where it is the same for all states; driven by m =
  /// noise_dimension Wiener processes.
  static Dispersion matrix(StateFunction function, int64_t noise_dimension);

  Kind kind() const { return kind_; }
  /// Number of Wiener processes that drive a state of dimension d; 0 without noise.
  int64_t noise_dimension(int64_t d) const;

  /// sigma: () scalar, (n, d) diagonal or (n, d, m) matrix, in the dtype of x. Argument error without noise
  /// or where the function returns another shape.
  Tensor value(const Tensor& x, double t) const;
  /// sigma(x, t) increment: (n, m) -> (n, d).
  Tensor times(const Tensor& x, double t, const Tensor& increment) const;
  /// a(x, t) v: (n, d) -> (n, d).
  Tensor diffusion_times(const Tensor& x, double t, const Tensor& v) const;
  /// a(x, t): (n, d, d).
  Tensor diffusion(const Tensor& x, double t) const;
  /// (div a)_i = sum over j of da_ij / dx_j by automatic differentiation, exact: (n, d).
  Tensor diffusion_divergence(const Tensor& x, double t) const;

  /// sigma(x, T - t).
  Dispersion reversed(double T) const;

 private:
  Kind kind_ = Kind::none;
  int64_t noise_dimension_ = 0;
  std::function<double(double)> scalar_;
  StateFunction function_;
};

/// The Ito diffusion dx = b(x, t) dt + sigma(x, t) dB on R^d, on any interval [0, T] of its own time. States
/// are (n, d): one row per sample.
struct Sde {
  StateFunction drift = {};    ///< b: (x, t) -> (n, d)
  Dispersion dispersion = {};  ///< sigma; none makes this an ordinary differential equation
  int64_t dimension = 0;       ///< d
  /// (div a)_i = sum over j of da_ij / dx_j, (x, t) -> (n, d); found by automatic differentiation where
  /// empty.
  StateFunction divergence = {};
};

/// Argument error unless the drift is set, d > 0 and x is (n, d) floating point.
void check_states(const Sde& sde, const Tensor& x, const char* caller);
/// b(x, t), after checking that its shape is that of x.
Tensor drift(const Sde& sde, const Tensor& x, double t);
/// div a, given or by automatic differentiation: (n, d).
Tensor diffusion_divergence(const Sde& sde, const Tensor& x, double t);

/// The time reversal of a diffusion on [0, T] whose law at time t has the score grad log p_t: with x(0) ~
/// p_T,
///   dx = [-b + div a + a grad log p](x, T - t) dt + sigma(x, T - t) dB
/// has the law of the path backwards, so x(t) ~ p_{T-t}. Anderson, "Reverse-time diffusion equation models"
/// (1982), in the complete form with div a. `score` is (x, t) -> (n, d) in the time of `sde`.
Sde reverse(const Sde& sde, StateFunction score, double T);

/// The ordinary differential equation with the same law p_t at each time, in the time of `sde`:
///   dx/dt = b - div a / 2 - a grad log p_t / 2.
/// Song et al., "Score-based generative modeling through SDEs" (2021), eq. 37.
Sde probability_flow(const Sde& sde, StateFunction score);

/// The overdamped Langevin diffusion dx = grad log pi(x) dt + sqrt(2) dB, which leaves pi invariant.
Sde langevin(std::function<Tensor(const Tensor& x)> score, int64_t dimension);

/// dx = f(t) x dt + g(t) dB of a Gaussian process: data at t = 0, noise at t = 1 (`Schedule::sde_end` says
/// how far f and g stay finite).
Sde forward_sde(const GaussianProcess& process, int64_t dimension);

/// dx = sigma dB.
Sde brownian_motion(int64_t dimension, double sigma = 1.0);

}  // namespace fokker
