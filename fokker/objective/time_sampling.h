#pragma once
#include "fokker/process/gaussian_process.h"

namespace fokker {

/// How training times are drawn. All are keyed by (sample, step), so they do not depend on how a batch is
/// split.
struct TimeSampling {
  enum class Law {
    uniform,     ///< t uniform on [start, end]; on a chain, uniform over its steps i/N
    log_normal,  ///< log(sigma/alpha) normal (Karras et al. 2022: mean -1.2, deviation 1.2)
  };
  enum class Method {
    independent,
    antithetic,       ///< u and 1 - u in pairs
    low_discrepancy,  ///< one shared offset: u_i = frac(u_0 + i/n) (Kingma et al. 2021, VDM)
  };
  Law law = Law::uniform;
  Method method = Method::low_discrepancy;
  double log_mean = -1.2;
  double log_deviation = 1.2;
};

/// n times for the training step, (n) float64.
Tensor sample_times(const GaussianProcess& process, const TimeSampling& options, int64_t n, uint64_t step,
                    const Rng& rng);

/// n steps of a chain, each uniform on 1..steps, (n) float64, with the low-discrepancy method.
Tensor sample_chain_steps(int64_t steps, int64_t n, uint64_t step, const Rng& rng);

}  // namespace fokker
