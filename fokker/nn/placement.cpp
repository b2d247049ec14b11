#include "fokker/nn/placement.h"

#include "fokker/core/boundary.h"

namespace fokker {

at::TensorOptions place(Network& network, at::Device device, Precision precision) try {
  const at::ScalarType type = network_type(precision);
  network.to(device, type);
  network.set_bf16_products(precision == Precision::automatic ? std::nullopt
                                                              : std::optional(precision == Precision::bf16));
  return at::TensorOptions(type).device(device);
} catch (...) {
  detail::throw_as_error();
}

Precision precision_of_samples(const Network& network, Precision asked) {
  const bool free = asked == Precision::automatic && network.chooses_products();
  return free && network.is_faster_in_bf16() ? Precision::bf16 : asked;
}

at::TensorOptions input_type(const Network& network) {
  return network.parameters().front().tensor.options().requires_grad(false);
}

}  // namespace fokker
