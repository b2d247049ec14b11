#pragma once
#include <string>

#include "fokker/core/text/json.h"
#include "fokker/process/schedule.h"

namespace fokker {

/// The table of betas that a scheduler's complete configuration names: "trained_betas", or "beta_schedule"
/// (linear, scaled_linear, squaredcos_cap_v2, sigmoid) from "beta_start" to "beta_end" in
/// "num_train_timesteps" steps; with "rescale_betas_zero_snr" moved so that nothing of the data is left at
/// the end (Lin et al. 2024, Algorithm 1). Input error that names `place` for any other.
BetaTable read_beta_table(const Json& config, const std::string& place);

}  // namespace fokker
