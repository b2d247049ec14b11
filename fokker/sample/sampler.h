#pragma once
#include <any>
#include <memory>
#include <string>

#include "fokker/core/random/rng.h"
#include "fokker/denoise/denoiser.h"

namespace fokker {

/// Orders of convergence in the step size that a method is proven to have on smooth problems; 0 where
/// refining the grid alone does not bring it to the law of the data.
struct SamplerOrder {
  bool deterministic = true;
  double strong = 1;  ///< of each path; for a deterministic method its order
  double weak = 1;    ///< of expectations
};

/// How many draws of noise a step of `integrate` may take.
constexpr uint64_t draws_per_step = 4096;
/// Where in a source of noise a draw of a step lies, where each step has so many.
constexpr uint64_t draw_step(int64_t step, uint64_t draws, uint64_t draw) {
  return static_cast<uint64_t>(step) * draws + draw;
}

/// What one step may use: the interval from time t down to s (up to s in a run from data to noise), its
/// noise, and what earlier steps of the run left.
struct StepContext {
  double t = 1;
  double s = 0;
  /// Standard normal noise of the shape of x; `draw` tells several draws in one step apart (0 to 4095).
  std::function<Tensor(uint32_t draw)> noise;
  /// A multistep method's past; empty at the start of a run. Belongs to the run, so that one sampler serves
  /// many.
  std::any& history;
  int64_t index = 0;  ///< of this step in its run
  int64_t steps = 1;  ///< of the whole run
};

struct StepResult {
  Tensor x;
  int64_t evaluations = 1;  ///< denoiser calls
  int64_t rejected = 0;     ///< steps tried and discarded (adaptive methods)
};

/// One method: a pure function of (x, t, s) and its history, with a declared order. A step that ends where
/// sigma = 0 returns the denoised estimate, unless a method says otherwise: rates in t, scores and lambda
/// have no limit there.
class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual std::string name() const = 0;
  virtual SamplerOrder order() const = 0;
  /// Chooses its own steps between the times of the grid, which are then only where it is observed.
  virtual bool adaptive() const { return false; }
  /// Uses f and g themselves, so that it must start where the SDE is regular (ScheduleModel::sde_end).
  virtual bool needs_sde() const { return false; }
  /// The fewest steps a run can have.
  virtual int64_t least_steps() const { return 1; }
  /// x at time s from x (n, event...) at time t. What libtorch or the allocator throws in do_step comes out
  /// as an Error.
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const;

 protected:
  virtual StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const = 0;
};

}  // namespace fokker
