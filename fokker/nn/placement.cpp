#include "fokker/nn/placement.h"

namespace fokker {

at::TensorOptions place(Network& network, at::Device device, Precision precision) {
  const at::ScalarType type = network_type(precision);
  network.to(device, type);
  network.set_bf16_products(precision == Precision::bf16);
  return at::TensorOptions(type).device(device);
}

at::TensorOptions input_type(const Network& network) {
  return network.parameters().front().tensor.options().requires_grad(false);
}

}  // namespace fokker
