#pragma once
#include "fokker/denoise/denoiser.h"

namespace fokker {

/// The reverse SDE run in time that falls, dx = b(x, t) dt + g(t) dB per unit of falling time, with
/// b = g^2 score - f x (Anderson 1982; the lecture on time reversal, eq. 3).
Tensor reverse_drift(const Estimate& estimate, const GaussianProcess& process, double t);

/// g(t)^2. Argument error that names `method` where f or g is infinite at t.
double reverse_diffusion_squared(const char* method, const GaussianProcess& process, double t);

}  // namespace fokker
