#include "fokker/data/column_figures.h"

namespace fokker {

Tensor constant_range(const Tensor& range) {
  return range.lt(1e-290);
}

ColumnFigures ColumnFigures::of(const RowSource& rows) {
  int64_t width = 1;
  for (const int64_t size : rows.event_shape()) width *= size;
  ColumnFigures figures;
  for_row_blocks(rows, rows_per_block(width), [&](const Tensor& block, int64_t) {
    figures.add(block.to(at::kCPU).flatten(1).to(at::kDouble));
  });
  return figures;
}

bool ColumnFigures::finite() const {
  return count_ == 0 || (low_.isfinite().all().item<bool>() && high_.isfinite().all().item<bool>());
}

void ColumnFigures::add(const Tensor& block) {
  const auto k = static_cast<double>(block.size(0));
  const Tensor low = block.amin(0), high = block.amax(0), range = high - low;
  const Tensor constant = constant_range(range), unit = at::where(constant, at::ones_like(range), range);
  Tensor away = (block - low).div_(unit);
  const Tensor mean = away.sum(0) / k;
  const Tensor squares = away.sub_(mean).square_().sum(0);
  low_ = count_ == 0 ? low : at::minimum(low_, low);
  high_ = count_ == 0 ? high : at::maximum(high_, high);
  join(block.size(0), at::where(constant, low, low + mean * unit),
       at::where(constant, at::zeros_like(range), (squares / k).sqrt() * unit));
}

void ColumnFigures::join(int64_t count, const Tensor& mean, const Tensor& deviation) {
  count_ += count;
  if (count == count_) {
    mean_ = mean;
    deviation_ = deviation;
    return;
  }
  const double share = static_cast<double>(count) / static_cast<double>(count_);
  const Tensor step = mean - mean_;
  Tensor unit = at::maximum(at::maximum(deviation_, deviation), step.abs());
  unit = at::where(unit.gt(0), unit, at::ones_like(unit));
  const Tensor squares = (1 - share) * (deviation_ / unit).square() + share * (deviation / unit).square() +
                         share * (1 - share) * (step / unit).square();
  mean_ = mean_ + share * step;
  deviation_ = squares.sqrt() * unit;
}

}  // namespace fokker
