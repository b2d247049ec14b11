#pragma once
#include <memory>
#include <optional>

#include "fokker/data/load.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/samplers.h"

namespace fokker::cli {

/// The times of a run: as sampler_grid, or times as a comma list or a file.
TimeGrid make_grid(const SamplerChoice& choice, const GaussianProcess& process, const std::string& text,
                   int64_t steps);

/// TARGET where a text that could name a file is "target:TARGET".
std::optional<std::string> named_target(const std::string& text);
/// TARGET of the command line; `reading` is for data:FILE.
std::unique_ptr<Distribution> target_from(const std::string& spec, const LoadOptions& reading = {});
/// Rows drawn from a target, as a file of them would be read. Argument error where it cannot be sampled.
Dataset draw_rows(const std::string& target, int64_t count, const Rng& rng, const LoadOptions& reading = {});
/// PROCESS of the command line; vp where it is empty.
GaussianProcess process_or_default(const std::string& spec);
/// The exact denoiser of a target that is a mixture; an argument error says which targets have one.
AnalyticDenoiser exact_denoiser(const std::string& target, const GaussianProcess& process,
                                const LoadOptions& reading = {});

/// "heun,unipc:order=3,scale=bh1" is heun and one unipc: a piece "key=value" belongs to the name before it.
std::vector<std::string> split_specs(const std::string& text);

/// "1,2.5,-3"; argument errors name the option.
std::vector<double> parse_numbers(const char* option, const std::string& text);
/// The same of whole numbers > 0.
std::vector<int64_t> parse_counts(const char* option, const std::string& text);

/// Rows as (n, d) float64: images are flattened, with levels 0..255 as [-1, 1], which is how samples are
/// written.
Tensor flat_rows(const Dataset& data);
/// The same of a file.
Tensor load_rows(const std::string& path, const LoadOptions& reading = {});

}  // namespace fokker::cli
