#include "cli/placement.h"

#include "fokker/core/device.h"

namespace fokker::cli {

at::TensorOptions place(Network& network, const CommonOptions& common) {
  const Precision precision = parse_precision(common.precision);
  const at::Device device = parse_device(common.device);
  const at::ScalarType type = network_type(precision);
  network.to(device, type);
  network.set_bf16_products(precision == Precision::bf16);
  return at::TensorOptions(type).device(device);
}

}  // namespace fokker::cli
