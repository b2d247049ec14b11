#pragma once
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker {

/// Places for the gradients of parameters, one after another in one piece of memory. Those that nobody writes
/// stay undefined.
class ParameterGradients {
 public:
  /// `wanted`: otherwise there are none.
  ParameterGradients(const std::vector<Tensor>& parameters, bool wanted)
      : parameters_(parameters), written_(parameters.size(), false) {
    int64_t total = 0;
    for (const auto& p : parameters) total += p.numel();
    if (wanted) values_ = at::empty({total}, parameters[0].options().requires_grad(false));
  }

  bool wanted() const { return values_.defined(); }

  /// Where the gradient of this parameter is written now; as a tensor of its shape. Only where they are
  /// wanted.
  Tensor place(const Tensor& parameter) {
    int64_t offset = 0;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const Tensor& p = parameters_[i];
      if (p.is_same(parameter)) {
        written_[i] = true;
        return values_.narrow(0, offset, p.numel()).view(p.sizes());
      }
      offset += p.numel();
    }
    TORCH_INTERNAL_ASSERT(false, "a layer's parameter is not one of the network's");
  }

  /// In the order of the parameters.
  std::vector<Tensor> parts() {
    std::vector<Tensor> parts(parameters_.size());
    for (size_t i = 0; i < parts.size(); ++i)
      if (written_[i]) parts[i] = place(parameters_[i]);
    return parts;
  }

 private:
  const std::vector<Tensor>& parameters_;
  std::vector<bool> written_;
  Tensor values_;
};

}  // namespace fokker
