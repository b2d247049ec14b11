#pragma once
#include <optional>

#include "fokker/sample/integrate.h"
#include "fokker/target/distribution.h"

namespace fokker {

/// Where a batch of chains is, with what its kernel keeps between steps.
struct ChainState {
  Tensor x;                 ///< (n, event...)
  Tensor velocity;          ///< of x's shape, where the kernel has momentum
  Tensor score;             ///< at x, where the kernel keeps it
  Tensor log_density;       ///< at x, (n), where the kernel keeps it
  int64_t evaluations = 0;  ///< score evaluations per row
  int64_t accepted = 0;     ///< proposals accepted, over all rows
  int64_t proposed = 0;
};

/// Standard normal noise of the shape of x; `draw` (0 to 3) tells several draws of one step apart.
using ChainNoise = std::function<Tensor(uint32_t draw)>;

/// One step of a Markov chain whose stationary law is a target's, or close to it.
class MarkovKernel {
 public:
  virtual ~MarkovKernel() = default;
  virtual std::string name() const = 0;
  /// Fills in what the first step needs. What libtorch or the allocator throws in do_start and do_step comes
  /// out as an Error.
  void start(const Distribution& target, ChainState& state, const ChainNoise& noise) const;
  void step(const Distribution& target, ChainState& state, const ChainNoise& noise) const;

 protected:
  virtual void do_start(const Distribution&, ChainState&, const ChainNoise&) const {}
  virtual void do_step(const Distribution& target, ChainState& state, const ChainNoise& noise) const = 0;
};

struct ChainOptions {
  int64_t steps = 1000;
  int64_t first_sample = 0;  ///< index of the first row: keys its noise
  int64_t block = 4096;      ///< rows that go through all steps together
  std::vector<Observer> observers;
};

struct ChainRun {
  Tensor x;
  int64_t evaluations = 0;  ///< score evaluations per row
  /// Fraction of proposals accepted, where the kernel may refuse them.
  std::optional<double> acceptance;
};

/// Runs independent chains from x (n, event...), without recording gradients. Noise is keyed by row and step,
/// so blocks do not matter. Error where a chain leaves the range of numbers (the step size is too large).
ChainRun run_chain(const MarkovKernel& kernel, const Distribution& target, const Tensor& x,
                   const NoiseSource& noise, const ChainOptions& options = {});

}  // namespace fokker
