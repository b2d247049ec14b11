#pragma once
#include "fokker/process/prior_fit.h"
#include "fokker/sample/samplers.h"

namespace fokker::cli {

/// Warns where the prior does not fit data of that spread, and names a process that would do. `what`
/// suffers: "samples".
void warn_of_prior(const GaussianProcess& process, double spread, const PriorFit& fit,
                   const std::string& what);

/// The smallest deviation of columns that are not constant, of rows (n, d); 1 where all are.
double smallest_deviation(const Tensor& rows);

/// Warns where the last step of a sampler's grid begins with so much noise that data of that deviation comes
/// out a tenth too narrow and more (last_noise). Methods that choose their steps are never warned of.
void warn_of_last_step(const GaussianProcess& process, double deviation, const Sampler& sampler,
                       const TimeGrid& grid);

}  // namespace fokker::cli
