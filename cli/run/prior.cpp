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

double smallest_deviation(const Tensor& rows) {
  const Tensor deviations = rows.std(0);
  const Tensor varying = deviations.masked_select(deviations > 0);
  return varying.numel() > 0 ? varying.min().item<double>() : 1;
}

void warn_of_last_step(const GaussianProcess& process, double deviation, const Sampler& sampler,
                       const TimeGrid& grid) {
  const double noise = last_noise(grid, process);
  if (sampler.adaptive() || noise <= 0.5 * deviation) return;
  const char* advice =
      process.sigma(0) > 0 ? "choose another --process" : "choose --grid log-snr, or more --steps";
  warn(fmt::format(
      "grid: the last step begins with noise of {:.2g} beside data of deviation {:.2g}, and what is "
      "finer than the noise is lost from the samples; {}",
      noise, deviation, advice));
}

}  // namespace fokker::cli
