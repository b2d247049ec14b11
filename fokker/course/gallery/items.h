#pragma once
#include <vector>

#include "fokker/course/gallery/item.h"

/// Each function appends the items of one topic and is defined in the file of its name.
namespace fokker::gallery {

using Items = std::vector<Item>;

// S0: reverse-time SDEs.
void add_s0_bridge(Items& items);
void add_s0_reversal(Items& items);
void add_s0_matching(Items& items);

// S1: denoising diffusion probabilistic models.
void add_s1_chain(Items& items);
void add_s1_objective(Items& items);

// S2: score matching and Langevin dynamics.
void add_s2_toy(Items& items);
void add_s2_langevin(Items& items);

// S3: the notebook.
void add_s3_forward(Items& items);
void add_s3_learned(Items& items);
void add_s3_loss(Items& items);
void add_s3_noise(Items& items);
void add_s3_sde(Items& items);
void add_s3_flow(Items& items);

// Conditions: guidance and inverse problems.
void add_guidance_laws(Items& items);
void add_inverse_posteriors(Items& items);

}  // namespace fokker::gallery
