#pragma once
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

/// An exponential moving average of a network's parameters: average <- d average + (1 - d) parameters, with
/// d = decay, or during warm-up d = min(decay, (1 + k) / (10 + k)) at update k = 0, 1, ..., so that the first
/// parameters do not linger. Averages are kept in float32 at least.
class Ema {
 public:
  /// Starts from the network's parameters. Argument error unless 0 <= decay < 1.
  Ema(const Network& network, double decay, bool warm_up = true);

  /// Takes the network's parameters in. Argument error where it is not the same architecture.
  void update(const Network& network);
  /// Writes the averages into a network of the same architecture.
  void copy_to(Network& network) const;

  const std::vector<NamedTensor>& parameters() const { return average_; }
  /// Number of updates so far.
  int64_t steps() const { return steps_; }
  /// The decay that the next update uses.
  double next_decay() const;
  /// Continues from saved averages and their number of updates. Input error where names or shapes differ.
  void restore(const std::vector<NamedTensor>& average, int64_t steps);

 private:
  std::vector<NamedTensor> average_;
  double decay_;
  bool warm_up_;
  int64_t steps_ = 0;
};

}  // namespace fokker
