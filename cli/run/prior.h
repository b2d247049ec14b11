#pragma once
#include "fokker/process/prior_fit.h"

namespace fokker::cli {

/// Warns where the prior does not fit data of that spread, and names a process that would do. `what`
/// suffers: "samples".
void warn_of_prior(const GaussianProcess& process, double spread, const PriorFit& fit,
                   const std::string& what);

/// The same as a record, with the process that would do under "choose" where it does not fit.
Json prior_json(const GaussianProcess& process, double spread, const PriorFit& fit);

}  // namespace fokker::cli
