#pragma once
#include <optional>

#include "fokker/core/random/rng.h"
#include "fokker/denoise/denoiser.h"
#include "fokker/distributed/ranks.h"
#include "fokker/sde/dormand_prince.h"

namespace fokker {

/// How the divergence of the flow is found.
enum class FlowDivergence {
  exact,      ///< one derivative per dimension: for small dimensions
  hutchinson  ///< unbiased, from random directions that stay the same along the flow (Hutchinson 1989; FFJORD
              ///< 2019)
};
enum class ProbeLaw { rademacher, gaussian };

struct LikelihoodOptions {
  FlowDivergence divergence = FlowDivergence::exact;
  ProbeLaw probe_law = ProbeLaw::rademacher;
  int64_t probes = 1;  ///< directions per row; two or more tell the estimate's own error
  DormandPrince::Options tolerance = {.rtol = 1e-5, .atol = 1e-5};
  int64_t block = 1024;               ///< rows integrated together
  at::ScalarType type = at::kDouble;  ///< what the denoiser computes in; the integration is in float64
  Tensor label = {};
  /// Where given, x is x_t at this time, and its density is p_t's.
  std::optional<double> time = {};
  std::function<void(int64_t rows)> observer = {};  ///< called with the number of rows done, of this rank's
  /// Share the rows, by whole blocks; all have the same x, and get all results, which are those of one.
  Ranks ranks = {};
};

/// log p(x) of each row in nats, all (n) float64.
struct Likelihood {
  Tensor log_density;
  /// Standard error of each from its random directions: 0 where exact, nan with a single probe.
  Tensor probe_error;
  /// log N(x_1; prior) - log p_1(x_1): what starting from the prior costs. Only of an exact denoiser, whose
  /// own p_1 ends the integral; undefined otherwise.
  Tensor prior_mismatch;
  int64_t evaluations = 0;  ///< of the flow and its divergence, the most of any block
  int64_t rejected = 0;
  bool exact = true;  ///< exact divergence
};

/// The log density that the probability flow gives to x (n, event...), in the denoiser's space: with the flow
/// of AngularFlow (z, phi),
///   log p(x) = log p_1(x_1) + d log rho(1) + d log cos(phi_0) + integral of div(dz/dphi) dphi
/// (Chen et al. 2018; Song et al. 2021, section 4.3). phi_0 is AngularFlow::data_angle; a network's data is
/// taken as x_t = alpha x there. Argument errors name options that make no sense, a RowError
/// the first row found to be too far away to have a density that is a number.
Likelihood log_likelihood(const Denoiser& denoiser, const Tensor& x, const LikelihoodOptions& options,
                          const Rng& rng);

}  // namespace fokker
