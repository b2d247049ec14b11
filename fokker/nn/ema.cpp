#include "fokker/nn/ema.h"

#include <algorithm>

#include "fokker/core/error.h"

namespace fokker {
namespace {

Tensor averaging_copy(const Tensor& parameter) {
  const auto type = at::promote_types(parameter.scalar_type(), at::kFloat);
  return parameter.detach().to(parameter.options().dtype(type), /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

Ema::Ema(const Network& network, double decay, bool warm_up) : decay_(decay), warm_up_(warm_up) {
  check(decay >= 0 && decay < 1, "Ema: expected 0 <= decay < 1 but received {}", decay);
  for (const auto& p : network.parameters()) average_.push_back({p.name, averaging_copy(p.tensor)});
}

double Ema::next_decay() const {
  const auto k = static_cast<double>(steps_);
  return warm_up_ ? std::min(decay_, (1 + k) / (10 + k)) : decay_;
}

void Ema::update(const Network& network) {
  const auto& parameters = network.parameters();
  check(parameters.size() == average_.size(), "Ema: expected a network of {} parameters but received {}",
        average_.size(), parameters.size());
  GradientMode off(false);
  const double weight = 1 - next_decay();
  for (size_t i = 0; i < average_.size(); ++i) {
    Tensor& average = average_[i].tensor;
    const Tensor& value = parameters[i].tensor;
    check(parameters[i].name == average_[i].name && value.sizes() == average.sizes(),
          "Ema: expected parameter {} of shape {} but received {} of shape {}", average_[i].name,
          shape_string(average), parameters[i].name, shape_string(value));
    average.lerp_(value.to(average.options()), weight);
  }
  ++steps_;
}

void Ema::copy_to(Network& network) const {
  network.load(average_);
}

void Ema::restore(const std::vector<NamedTensor>& average, int64_t steps) {
  check_input(steps >= 0, "Ema: expected steps >= 0 but received {}", steps);
  check_input(average.size() == average_.size(), "Ema: expected {} averages but received {}", average_.size(),
              average.size());
  for (const auto& own : average_) {
    const auto found = std::find_if(average.begin(), average.end(),
                                    [&](const NamedTensor& a) { return a.name == own.name; });
    check_input(found != average.end() && found->tensor.sizes() == own.tensor.sizes(),
                "Ema: expected an average \"{}\" of shape {} but received {}", own.name,
                shape_string(own.tensor),
                found == average.end() ? "none of that name" : shape_string(found->tensor));
    // Handles of the saved tensors are not kept: they may belong to the caller.
    Tensor(own.tensor).copy_(found->tensor.detach());
  }
  steps_ = steps;
}

}  // namespace fokker
