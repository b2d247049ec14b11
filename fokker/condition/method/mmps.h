#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// Moment matching posterior sampling (Rozet et al. 2024): the score gains
///   J^T A^T (S^2 I + A V A^T)^-1 (y - A E[x_0 | x_t]),  V = (sigma^2/alpha) J^T,  J = dE[x_0 | x_t]/dx_t,
/// V being the covariance of x_0 given x_t (Tweedie). The system is solved in a Krylov space, as by conjugate
/// gradients but with what no covariance has held down (solve_covariance_system), each iteration a product
/// with J^T: a pass back through the network. Exact for Gaussian data once the iterations have converged (as
/// many as A V A^T + S^2 I has distinct eigenvalues).
class Mmps final : public PosteriorSampler {
 public:
  struct Options {
    int64_t iterations = 5;
    double tolerance = 1e-6;            ///< of the residual's length, at which a row is left
    std::string sampler = "ancestral";  ///< what runs on the score, as make_sampler names it
  };
  explicit Mmps(Options options);
  Mmps() : Mmps(Options{}) {}
  std::string name() const override { return "mmps"; }
  void check_measurement(const Measurement& measurement) const override;
  bool differentiates() const override { return true; }

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  Options options_;
};

}  // namespace fokker
