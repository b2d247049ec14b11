#pragma once
#include <any>
#include <memory>
#include <string>

#include "fokker/core/rng.h"
#include "fokker/denoise/denoiser.h"

namespace fokker {

/// Orders of convergence in the step size that a method is proven to have on smooth problems.
struct SamplerOrder {
  bool deterministic = true;
  double strong = 1;  ///< of each path; for a deterministic method its order
  double weak = 1;    ///< of expectations
};

/// What one step may use: the interval from time t down to s, its noise, and what earlier steps of the run
/// left.
struct StepContext {
  double t = 1;
  double s = 0;
  /// Standard normal noise of the shape of x; `draw` tells several draws in one step apart (0 to 4095).
  std::function<Tensor(uint32_t draw)> noise;
  /// A multistep method's past; empty at the start of a run. Belongs to the run, so that one sampler serves
  /// many.
  std::any& history;
};

struct StepResult {
  Tensor x;
  int64_t evaluations = 1;  ///< denoiser calls
  int64_t rejected = 0;     ///< steps tried and discarded (adaptive methods)
};

/// One method: a pure function of (x, t, s) and its history, with a declared order.
class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual std::string name() const = 0;
  virtual SamplerOrder order() const = 0;
  virtual StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const = 0;
};

}  // namespace fokker
