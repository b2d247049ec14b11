#include "fokker/nn/placement.h"

#include "fokker/core/boundary.h"

namespace fokker {

at::TensorOptions place(Network& network, at::Device device, Precision precision) try {
  const at::ScalarType type = network_type(precision);
  network.to(device, type);
  network.set_bf16_products(precision == Precision::bf16);
  return at::TensorOptions(type).device(device);
} catch (...) {
  detail::throw_as_error();
}

at::TensorOptions input_type(const Network& network) {
  return network.parameters().front().tensor.options().requires_grad(false);
}

}  // namespace fokker
