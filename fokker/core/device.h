#pragma once
#include <string>
#include <string_view>

#include "fokker/core/tensor.h"

namespace fokker {

/// Parses "cpu", "cuda" or "cuda:1". Refuses a device that this build or machine does not have.
at::Device parse_device(std::string_view text);

/// Arithmetic asked for: `automatic` lets the library choose per task. Training and sampling take bf16 where
/// it is faster here and does not change the law of samples measurably (docs/performance.md), all else fp32.
enum class Precision { automatic, fp32, bf16, fp64 };

/// Parses auto, fp32, bf16 or fp64.
Precision parse_precision(std::string_view text);

/// The type of a network's weights and activations: float64 for fp64, else float32. `automatic` is fp32.
at::ScalarType network_type(Precision precision);

}  // namespace fokker
