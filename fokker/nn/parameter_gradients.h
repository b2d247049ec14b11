#pragma once
#include <algorithm>
#include <functional>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/core/tensor.h"
#include "fokker/nn/gradient_watch.h"

namespace fokker {

/// Places for the gradients of parameters, one after another in one piece of memory. Those that nobody writes
/// stay undefined.
class ParameterGradients {
 public:
  /// `wanted`: otherwise there are none.
  ParameterGradients(const std::vector<Tensor>& parameters, bool wanted)
      : parameters_(parameters), written_(parameters.size(), false), settled_(written_) {
    int64_t total = 0;
    for (const auto& p : parameters) total += p.numel();
    if (wanted) values_ = at::empty({total}, parameters[0].options().requires_grad(false));
  }

  bool wanted() const { return values_.defined(); }

  /// Where the gradient of this parameter is written now; as a tensor of its shape. Only where they are
  /// wanted.
  Tensor place(const Tensor& parameter) {
    return place_of(index_of([&](const Tensor& p) { return p.is_same(parameter); }));
  }
  /// The same of the number at `number`, which is a parameter's; null gives null.
  float* place(const float* number) {
    if (!number) return nullptr;
    const size_t i = index_of([&](const Tensor& p) {
      const float* begin = p.data_ptr<float>();
      return std::less_equal<>()(begin, number) && std::less<>()(number, begin + p.numel());
    });
    return place_of(i).data_ptr<float>() + (number - parameters_[i].data_ptr<float>());
  }

  /// Nothing writes again to the places that were asked for so far: whoever watches is told of them.
  void settle() {
    const GradientWatch* watch = GradientWatch::current();
    for (size_t i = 0; i < written_.size(); ++i) {
      if (!written_[i] || settled_[i]) continue;
      settled_[i] = true;
      if (watch) watch->tell(parameters_[i], place_of(i));
    }
  }

  /// In the order of the parameters.
  std::vector<Tensor> parts() {
    std::vector<Tensor> parts(parameters_.size());
    for (size_t i = 0; i < parts.size(); ++i)
      if (written_[i]) parts[i] = place_of(i);
    return parts;
  }

 private:
  template <typename Is>
  size_t index_of(const Is& is) const {
    const auto found = std::find_if(parameters_.begin(), parameters_.end(), is);
    detail::check(found != parameters_.end(), "gradients: expected a parameter of the network");
    return static_cast<size_t>(found - parameters_.begin());
  }
  Tensor place_of(size_t i) {
    written_[i] = true;
    int64_t offset = 0;
    for (size_t before = 0; before < i; ++before) offset += parameters_[before].numel();
    return values_.narrow(0, offset, parameters_[i].numel()).view(parameters_[i].sizes());
  }

  const std::vector<Tensor>& parameters_;
  std::vector<bool> written_, settled_;
  Tensor values_;
};

}  // namespace fokker
