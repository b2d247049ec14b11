#pragma once
#include <functional>
#include <utility>

#include "fokker/core/tensor.h"

namespace fokker {

/// While one lives, fused networks tell it, during a backward pass on this thread, of each parameter whose
/// gradient they have written: the parameter and its gradient, which they write no more. Networks made of
/// plain functions tell nothing.
class GradientWatch {
 public:
  using Told = std::function<void(const Tensor& parameter, const Tensor& gradient)>;
  explicit GradientWatch(Told told) : told_(std::move(told)), before_(std::exchange(current_, this)) {}
  ~GradientWatch() { current_ = before_; }
  GradientWatch(const GradientWatch&) = delete;
  GradientWatch& operator=(const GradientWatch&) = delete;

  /// Of this thread; null where nobody watches.
  static const GradientWatch* current() { return current_; }
  void tell(const Tensor& parameter, const Tensor& gradient) const { told_(parameter, gradient); }

 private:
  static thread_local const GradientWatch* current_;
  Told told_;
  const GradientWatch* before_;
};

}  // namespace fokker
