#include "fokker/train/step_rows.h"

#include <utility>

namespace fokker {

std::shared_ptr<const RowOrder> StepRows::order_of(int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  for (const Epoch& known : recent_)
    if (known.number == epoch) return known.order;
  recent_[1] = std::move(recent_[0]);
  recent_[0] = {epoch, std::make_shared<const RowOrder>(rng_.stream(static_cast<uint64_t>(epoch)), rows_)};
  return recent_[0].order;
}

Tensor StepRows::of_step(int64_t step) const {
  std::vector<Tensor> parts;
  int64_t position = step * batch_;
  for (int64_t left = batch_; left > 0;) {
    const int64_t count = std::min(left, rows_ - position % rows_);
    parts.push_back(order_of(position / rows_)->rows(position % rows_, count));
    position += count;
    left -= count;
  }
  return at::cat(parts);
}

}  // namespace fokker
