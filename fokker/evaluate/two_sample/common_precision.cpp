#include "fokker/evaluate/two_sample/common_precision.h"

#include <algorithm>
#include <charconv>

namespace fokker {
namespace {

bool is_float32(double value) {
  const auto rounded = static_cast<float>(value);
  if (static_cast<double>(rounded) == value || value != value) return true;
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof(text), rounded).ptr;
  double read = 0;
  std::from_chars(text, end, read);
  return read == value;
}

bool all_float32(const Tensor& column) {
  const Tensor values = column.contiguous();
  const double* const begin = values.data_ptr<double>();
  return std::all_of(begin, begin + values.numel(), is_float32);
}

}  // namespace

Tensor pooled_at_common_precision(const Tensor& x, const Tensor& y) {
  Tensor pooled = at::cat({x, y});
  for (int64_t c = 0; c < pooled.size(1); ++c) {
    const Tensor first = x.select(1, c), second = y.select(1, c);
    if (all_float32(first) == all_float32(second)) continue;
    Tensor column = pooled.select(1, c);
    column.copy_(column.to(at::kFloat));
  }
  return pooled;
}

}  // namespace fokker
