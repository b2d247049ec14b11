#include "fokker/core/device.h"

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"

namespace fokker {

at::Device parse_device(std::string_view text) {
  if (text == "cpu") return at::kCPU;
  int64_t index = 0;
  bool valid = text == "cuda";
  if (text.starts_with("cuda:")) {
    index = parse_integer("device", text.substr(5), 0, 127);
    valid = true;
  }
  check(valid, "device: expected cpu, cuda or cuda:INDEX but received '{}'", text);
  check(at::hasCUDA(), "device: '{}' was asked for, but this build's libtorch has no CUDA device here", text);
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

Precision parse_precision(std::string_view text) {
  if (text == "auto") return Precision::automatic;
  if (text == "fp32") return Precision::fp32;
  if (text == "bf16") return Precision::bf16;
  if (text == "fp64") return Precision::fp64;
  fail(ErrorKind::argument, "precision: expected auto, fp32, bf16 or fp64 but received '{}'", text);
}

at::ScalarType network_type(Precision precision) {
  return precision == Precision::fp64 ? at::kDouble : at::kFloat;
}

}  // namespace fokker
