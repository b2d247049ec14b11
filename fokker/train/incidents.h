#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/core/text/json.h"

namespace fokker {

/// What training does at a loss or a gradient that is not finite.
enum class OnDivergence {
  stop,    ///< ends with ErrorKind::diverged
  skip,    ///< leaves the batch out: weights, moments and average stay as they are
  rewind,  ///< goes back to the last checkpoint and on at half the learning rate
};
std::vector<std::string> on_divergence_names();
const char* to_string(OnDivergence policy);
/// Argument error that lists the names.
OnDivergence parse_on_divergence(const std::string& name);

/// What went wrong in a training that went on: a part of its state and of its record.
struct Incidents {
  int64_t skipped = 0;     ///< batches that were left out
  int64_t rewinds = 0;     ///< times that it went back
  int64_t spikes = 0;      ///< losses far above those before them
  double rate_factor = 1;  ///< what rewinding left of the learning rate
  bool any() const { return skipped > 0 || rewinds > 0 || spikes > 0; }
  Json to_json() const;
  static Incidents from_json(const Json& json);
  bool operator==(const Incidents&) const = default;
};

/// The steps since the last line of metrics, of which the next is made: a part of the state, so that a run
/// that was continued writes the lines of one that was not.
struct UntoldSteps {
  double loss_sum = 0;
  int64_t count = 0;
  Incidents before = {};  ///< when the last line was written
  Json to_json() const;
  static UntoldSteps from_json(const Json& json);
};

/// Tells a loss that stands out from those before it: above their mean by more than 8 of their standard
/// deviations. Both follow the last hundred or so steps (weights 0.98^age); the first 50 are only looked at.
class LossWatch {
 public:
  /// Takes the next loss in; true where it stands out. It counts no higher than the bound that it passed.
  bool stands_out(double loss);
  double mean() const { return mean_; }
  double deviation() const;
  Json to_json() const;
  static LossWatch from_json(const Json& json);

 private:
  int64_t count_ = 0;
  double mean_ = 0, variance_ = 0;
};

/// The lowest held-out loss so far.
struct BestHeldOut {
  double loss = 0;
  int64_t step = 0;
  int64_t evaluations_since = 0;  ///< that were not lower
  Json to_json() const;
  static BestHeldOut from_json(const Json& json);
};

}  // namespace fokker
