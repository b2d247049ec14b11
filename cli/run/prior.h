#pragma once
#include "fokker/process/prior_fit.h"

namespace fokker::cli {

/// Warns where the prior does not fit data of that spread, and names a process that would do. `what`
/// suffers: "samples".
void warn_of_prior(const GaussianProcess& process, double spread, const PriorFit& fit,
                   const std::string& what);

}  // namespace fokker::cli
