#pragma once
#include <memory>

#include "fokker/data/dataset.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/integrate.h"

namespace fokker::cli {

/// A sampler with the grid it is used on unless the user says otherwise.
struct SamplerChoice {
  std::unique_ptr<Sampler> sampler;
  std::string grid;    ///< default grid name
  int64_t steps = 30;  ///< default number of steps
};

/// SAMPLER of the command line, with parameters as "ddim:eta=0.5".
SamplerChoice make_sampler(const std::string& spec, const GaussianProcess& process);
std::vector<std::string> sampler_names();

/// Grid by name (uniform, log-snr, quadratic, karras), "karras:rho=5".
TimeGrid make_grid(const std::string& spec, const GaussianProcess& process, const Sampler& sampler,
                   int64_t steps);
std::vector<std::string> grid_names();

/// TARGET of the command line.
std::unique_ptr<Distribution> target_from(const std::string& spec);
/// The exact denoiser of a target that is a mixture; an argument error says which targets have one.
AnalyticDenoiser exact_denoiser(const std::string& target, const GaussianProcess& process);

/// Rows of a file as (n, d) float64: images are flattened.
Tensor load_rows(const std::string& path);

}  // namespace fokker::cli
