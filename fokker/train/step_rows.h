#pragma once
#include <memory>
#include <mutex>

#include "fokker/core/random/permutation.h"

namespace fokker {

/// Which rows a step sees: all in a fresh random order every epoch (RowOrder), so that each is seen equally
/// often; batches may straddle epochs. Depends on the generator, the step and the sizes alone; any number of
/// threads may ask.
class StepRows {
 public:
  StepRows(const Rng& rng, int64_t rows, int64_t batch) : rng_(rng), rows_(rows), batch_(batch) {}
  /// Of a step, (batch) int64.
  Tensor of_step(int64_t step) const;

 private:
  struct Epoch {
    int64_t number = -1;
    std::shared_ptr<const RowOrder> order;
  };
  std::shared_ptr<const RowOrder> order_of(int64_t epoch) const;
  Rng rng_;
  int64_t rows_, batch_;
  mutable std::mutex mutex_;
  mutable Epoch recent_[2];  ///< those asked for last, the newest first
};

}  // namespace fokker
