#pragma once
#include "fokker/denoise/denoiser.h"

namespace fokker {

/// DDIM's step to time s without noise, alpha_s E[x_0] + sigma_s E[eps]: defined at every t and s, so it is
/// what other methods do where their own variables are infinite.
Tensor ddim_step(const Estimate& estimate, const GaussianProcess& process, double s);

}  // namespace fokker
