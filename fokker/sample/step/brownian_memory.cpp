#include "fokker/sample/step/brownian_memory.h"

#include <cmath>

namespace fokker {

namespace {

/// Sums of lengths that differ by less, relatively, are the same.
constexpr double rounding = 1e-12;

}  // namespace

Tensor BrownianMemory::increment(double length, const std::function<Tensor()>& draw) {
  double covered = 0;
  Tensor sum;
  const auto add = [&](const Tensor& part) { sum = sum.defined() ? sum + part : part; };
  for (size_t i = 0; i < ahead_.size() && covered < length * (1 - rounding); ++i) {
    const auto [whole, known] = ahead_[i];
    const double need = length - covered;
    if (need < whole * (1 - rounding)) {
      // Brownian bridge: W(need) given W(whole).
      const Tensor part = at::add(known * (need / whole), draw(), std::sqrt(need * (whole - need) / whole));
      ahead_[i] = {need, part};
      ahead_.insert(ahead_.begin() + static_cast<int64_t>(i) + 1, Piece{whole - need, known - part});
      add(part);
      return sum;
    }
    add(known);
    covered += whole;
  }
  if (covered < length * (1 - rounding)) {
    ahead_.push_back({length - covered, draw() * std::sqrt(length - covered)});
    add(ahead_.back().increment);
  }
  return sum;
}

void BrownianMemory::advance(double length) {
  double covered = 0;
  while (!ahead_.empty() && covered + ahead_.front().length <= length * (1 + rounding)) {
    covered += ahead_.front().length;
    ahead_.pop_front();
  }
}

}  // namespace fokker
