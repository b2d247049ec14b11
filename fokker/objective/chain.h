#pragma once
#include "fokker/objective/objective.h"

namespace fokker {

/// A chain of N steps at t = i/N laid over a process, in whose model p(x_{i-1} | x_i) = N(mu_theta, beta_i I)
/// with mu_theta = the mean of q(x_{i-1} | x_i, x_0) at x_0 = E_theta[x_0 | x_i], and beta_i the variance of
/// q(x_i | x_{i-1}) (the lecture on denoising diffusion, "Learning the model" to "Final objective"; Ho et al.
/// 2020).
class ChainObjective final : public Objective {
 public:
  enum class Form {
    /// -log p(x_N) - sum_i log p_theta(x_{i-1} | x_i), with x_{i-1} drawn given x_0 and x_i (the lecture on
    /// denoising diffusion, step 1).
    path_likelihood,
    /// sum_i |mu-tilde_i(x_0, x_i) - mu_theta|^2 / (2 beta_i) (the lecture on denoising diffusion, step 2):
    /// the path likelihood with x_{i-1}
    /// integrated out, less a constant.
    mean_matching,
    /// sum_i beta_i / (2 (1 - beta_i)(1 - alphabar_i)) |eps - eps_theta|^2 (the lecture on denoising
    /// diffusion, step 4): the same number.
    weighted_noise,
    /// The mean over i of |eps - eps_theta|^2 (the lecture on denoising diffusion, step 5, L_simple).
    simple,
  };
  struct Options {
    Form form = Form::mean_matching;
    int64_t steps = 0;  ///< N; 0 takes the process's own chain, or 1000
    double label_dropout = 0.1;
  };
  explicit ChainObjective(Options options);

  /// One random step i per row; sums over i become N times it. Per dimension, in nats (simple: squared
  /// error).
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;
  /// The same with the step of each row given, (n) float64 in 1..N.
  Tensor loss_at(const Denoiser& denoiser, const Batch& batch, const Tensor& steps, const Rng& rng) const;

 private:
  Options options_;
};

/// N of a chain on a process: `steps` where positive, else the process's own, else 1000.
int64_t chain_length(const GaussianProcess& process, int64_t steps);

}  // namespace fokker
