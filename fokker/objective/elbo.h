#pragma once
#include <vector>

#include "fokker/objective/objective.h"

namespace fokker {

/// Which chain bounds the likelihood, and the variance of its reverse steps p(x_s | x_t).
struct ElboOptions {
  enum class Variance {
    transition,  ///< beta, that of q(x_t | x_s), as in the lecture on denoising diffusion: exact for N(0, I)
                 ///< under a variance preserving process
    posterior,   ///< beta-tilde, that of q(x_s | x_t, x_0): exact for data that is one point
  };
  int64_t steps = 0;  ///< N; 0 takes the process's own chain, or 1000
  Variance variance = Variance::transition;
};

/// The noisy times of the chain: 0 where the process is noisy there, then i/N.
std::vector<double> elbo_times(const GaussianProcess& process, int64_t steps);

/// One term of the bound as a function of the denoiser: error |x_0 - E_theta[x_0 | x_t]|^2 + d constant.
struct ElboTerm {
  double error = 0;
  double constant = 0;
};
/// The term at times[index]: the reconstruction -log N(x_0; E_theta[x_0 | x_t], sigma(t)^2 I) for the first,
/// KL(q(x_s | x_t, x_0) || p_theta(x_s | x_t)), s = times[index - 1], for the others (the notebook,
/// section 1.2.1; Ho et al. 2020, eqs. 5 and 8).
ElboTerm elbo_term(const GaussianProcess& process, const std::vector<double>& times, size_t index,
                   ElboOptions::Variance variance);
/// KL(q(x_1 | x_0) || N(0, prior_variance I)) at t = 1 in nats, (n).
Tensor elbo_prior(const GaussianProcess& process, const Tensor& x0);

/// Factors of the control variates of the terms, one per time, (times) float64: |x_0 - E_theta|^2 is
/// (sigma/alpha)^2 |eps|^2 and a little where noise is small, and the mean of |eps|^2 is known. Each is the
/// slope of the one on the other in draws of their own (of the first rows of x0, 8 to 64 of them), so that
/// terms which use it are unbiased and those of different rows uncorrelated: the spread over rows tells the
/// error of their mean.
Tensor elbo_controls(const Denoiser& denoiser, const Tensor& x0, const ElboOptions& options, const Rng& rng,
                     const Tensor& label = {});

/// Every term for each row, in nats of x_0's units, with one draw of noise for each time.
struct ElboTerms {
  std::vector<double> times;  ///< of the reconstruction, then of each KL
  Tensor reconstruction;      ///< (n): -log p(x_0 | x_t) at times[0]
  Tensor divergences;         ///< (times - 1, n): the KL at times[1], times[2], ...
  Tensor prior;               ///< (n)
  /// The bound on log p(x_0), (n): -(reconstruction + sum of the KLs + prior).
  Tensor bound() const { return -(reconstruction + divergences.sum(0) + prior); }
};
/// `controls` as of elbo_controls; where there are none, they are found first.
ElboTerms elbo_terms(const Denoiser& denoiser, const Tensor& x0, const ElboOptions& options, const Rng& rng,
                     const Tensor& label = {}, const Tensor& controls = {});

/// The negative bound per dimension, estimated with one random term per row (times the number of terms).
class ElboObjective final : public Objective {
 public:
  struct Options {
    ElboOptions bound;
    double label_dropout = 0.1;
  };
  explicit ElboObjective(Options options) : options_(options) {}
  ElboObjective() : ElboObjective(Options()) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;

 private:
  Options options_;
};

}  // namespace fokker
