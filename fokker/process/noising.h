#pragma once
#include <vector>

#include "fokker/process/gaussian_process.h"

namespace fokker {

/// Paths of the noising chain: rows x0 (n, ...) at times[0], carried through the increasing times by the
/// process's own transitions, x_t = scale x_s + sqrt(variance) eps, so that the law is exact at every time
/// (the lecture on denoising diffusion, "OU forward process", the notebook, section 1.1.2). Step i draws its
/// noise at step i. Shape (times, n, ...). Argument error where the times do not increase or there are none.
Tensor noising_paths(const GaussianProcess& process, const Tensor& x0, const std::vector<double>& times,
                     const NoiseSource& noise);

}  // namespace fokker
