#include "cli/run/prior.h"

#include "fokker/core/messages.h"

namespace fokker::cli {

void warn_of_prior(const GaussianProcess& process, double spread, const PriorFit& fit,
                   const std::string& what) {
  if (fit.fits()) return;
  const std::string better = fit.time == 1 ? fitting_process(process, spread) : "";
  const std::string advice = fit.time < 1     ? "begin the grid at 1"
                             : better.empty() ? "choose another --process"
                                              : "choose --process " + better;
  warn(fmt::format("prior: {} start from noise alone, but {}, so they will be off; {}", what, fit.text(),
                   advice));
}

}  // namespace fokker::cli
