#pragma once
#include <ATen/Parallel.h>

#include "fokker/nn/mlp/mlp.h"
#include "nn/support.h"

namespace fokker::testing {

/// Random weights that keep values of about unit size through the layers.
inline void randomise_single(Mlp& network, uint64_t seed) {
  network.to(at::kCPU, at::kFloat);
  GradientMode off(false);
  for (const auto& p : network.parameters()) {
    Tensor tensor = p.tensor;
    const double scale = tensor.dim() == 2 ? 0.9 / std::sqrt(static_cast<double>(tensor.size(1))) : 0.2;
    tensor.copy_(Rng(seed).stream(p.name).normal(p.tensor.sizes()).mul_(scale));
  }
}

class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace fokker::testing
