#pragma once
#include "cli/denoiser_source.h"
#include "cli/ranks.h"

namespace fokker::cli {

/// What `fokker likelihood` is told.
struct LikelihoodCommand : SourceOptions {
  CommonOptions common;
  std::string data, out, method = "flow", divergence = "auto", probe_law = "rademacher";
  std::string labels;
  bool unconditional = false;
  double rtol = 1e-5, atol = 1e-5, timeout = usual_rank_timeout;
  int64_t probes = 0, steps = 0, batch = 0, rows = 0;
};

/// Log densities per row in nats, and what else there is to say.
struct RowDensities {
  Tensor values;       ///< (n) float64
  Tensor probe_error;  ///< (n), undefined where nothing is estimated by probes
  Json details;
};

bool uses_exact_divergence(const LikelihoodCommand& options, const DenoiserSource& source);

// Of all rows, which ranks share. Argument errors name options that make no sense, RowErrors rows.

/// Of rows x in the denoiser's space, by the probability flow; in nats of that space.
RowDensities by_flow(const LikelihoodCommand& options, const DenoiserSource& source, const Tensor& x,
                     const Tensor& label, const Ranks& ranks);
/// The chain's lower bound of the same.
RowDensities by_elbo(const LikelihoodCommand& options, const DenoiserSource& source, const Tensor& x,
                     const Tensor& label, const Ranks& ranks);
/// Of a table with a schema: a lower bound, in probabilities of levels and densities of numbers.
RowDensities of_table(const LikelihoodCommand& options, const DenoiserSource& source, const Dataset& data,
                      const Ranks& ranks);

}  // namespace fokker::cli
