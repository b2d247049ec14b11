#pragma once
#include "fokker/course/verify/theory_check.h"

/// Each function appends the checks of one topic and is defined in the file of its name.
namespace fokker::verify {

using Checks = std::vector<Check>;

// S0: reversal of diffusions, Langevin dynamics, learning the score.
void add_s0_reversal(Checks& checks);
void add_s0_linear(Checks& checks);
void add_s0_anderson(Checks& checks);
void add_s0_path(Checks& checks);
void add_s0_remark(Checks& checks);
void add_s0_langevin(Checks& checks);
void add_s0_learning(Checks& checks);
void add_s0_conditional(Checks& checks);

// S1: denoising diffusion probabilistic models.
void add_s1_chain(Checks& checks);
void add_s1_posterior(Checks& checks);
void add_s1_reverse_kernel(Checks& checks);
void add_s1_objective(Checks& checks);
void add_s1_minimiser(Checks& checks);
void add_s1_sampling(Checks& checks);
void add_s1_embedding(Checks& checks);
void add_s1_training(Checks& checks);

// S3: the notebook.
void add_s3_forward(Checks& checks);
void add_s3_unrolled(Checks& checks);
void add_s3_elbo(Checks& checks);
void add_s3_gap(Checks& checks);
void add_s3_denoising(Checks& checks);
void add_s3_learning(Checks& checks);
void add_s3_tweedie(Checks& checks);
void add_s3_exponential(Checks& checks);
void add_s3_sde(Checks& checks);
void add_s3_generation(Checks& checks);
void add_s3_flow(Checks& checks);
void add_s3_ode(Checks& checks);

// S2: score matching and Langevin dynamics.
void add_s2_score_matching(Checks& checks);
void add_s2_denoising(Checks& checks);
void add_s2_langevin(Checks& checks);
void add_s2_annealed(Checks& checks);
void add_s2_levels(Checks& checks);
void add_s2_toy(Checks& checks);
void add_s2_background(Checks& checks);

// Conditions: what law guidance samples.
void add_guidance_laws(Checks& checks);

// Conditions: methods for inverse problems against exact posteriors.
void add_inverse_exact(Checks& checks);
void add_inverse_bias(Checks& checks);
void add_inverse_particles(Checks& checks);

}  // namespace fokker::verify
