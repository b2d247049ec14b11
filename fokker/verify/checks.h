#pragma once
#include "fokker/verify/check.h"

/// Each function appends the checks of one topic and is defined in the file of its name.
namespace fokker::verify {

using Checks = std::vector<Check>;

// S0: reversal of diffusions, Langevin dynamics, learning the score.
void add_s0_reversal(Checks& checks);

// S1: denoising diffusion probabilistic models.
void add_s1_chain(Checks& checks);
void add_s1_posterior(Checks& checks);
void add_s1_objective(Checks& checks);
void add_s1_minimiser(Checks& checks);
void add_s1_sampling(Checks& checks);
void add_s1_embedding(Checks& checks);

}  // namespace fokker::verify
