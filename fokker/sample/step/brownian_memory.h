#pragma once
#include <deque>
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

/// A Brownian path ahead of where its user is, known as far as it was ever looked at. Looking less far
/// divides what is known by a Brownian bridge, so that steps tried and rejected do not change the path's law.
class BrownianMemory {
 public:
  /// W(now + length) - W(now); `draw` gives a standard normal tensor for each new piece of knowledge.
  Tensor increment(double length, const std::function<Tensor()>& draw);
  /// Moves on by a length just looked at.
  void advance(double length);

 private:
  struct Piece {
    double length;
    Tensor increment;
  };
  std::deque<Piece> ahead_;
};

}  // namespace fokker
