#pragma once
#include <string>
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

struct MlpOptions {
  int64_t dimension = 0;         ///< size of one sample
  int64_t output_dimension = 0;  ///< 0: same as dimension
  int64_t width = 256;
  int64_t depth = 4;                     ///< hidden layers, or residual blocks
  std::string activation = "silu";       ///< silu, elu, relu, gelu, tanh, softplus
  std::string embedding = "sinusoidal";  ///< raw, fourier, sinusoidal
  int64_t embedding_size = 64;
  bool residual = true;
  int64_t classes = 0;         ///< number of classes; one more row, the last, is the unconditional class
  int64_t condition_size = 0;  ///< numbers in the vector that rows are conditioned on, in place of classes
  double time_scale = 1000;    ///< multiplies the time before the sinusoidal embedding, and only there
  bool zero_output = true;     ///< the last layer starts at zero
  bool energy = false;         ///< one number for each sample, returned as (n)

  /// Reads what Mlp::config wrote. Input error for a value of the wrong type or range.
  static MlpOptions from_config(const Json& config);
};

/// A fully connected network for tables: x (n, dimension), time (n) or (1) -> (n, output_dimension), or (n)
/// for an energy.
///
/// The residual form adds `depth` blocks h + W2 act(W1 h + s_i), where the shifts s_i of all blocks come from
/// one small network of the time features and the class or condition, which is also added to the first h. The
/// plain form is Linear, activation, ..., Linear on the sample with its time features (and class vector or
/// condition) appended; with raw time and ELU it is the network of the lecture notes' notebook, and its
/// parameters carry the names of a PyTorch Sequential: 0.weight, 0.bias, 2.weight, ...
///
/// In float32 on the CPU the layers run fused: a block of rows at a time through all of them, forward and
/// backward, as one node of the graph, within 1e-5 of the plain form relative to the result's size. Other
/// types, gradients with respect to x and second derivatives take the plain form.
class Mlp final : public Network {
 public:
  /// Argument error for sizes that are not positive or an unknown activation or embedding.
  explicit Mlp(const MlpOptions& options, uint64_t seed = 0);

  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override;
  /// The layers one after another, by ATen's operations: what the fused form is tested against.
  Tensor forward_plain(const Tensor& x, const Tensor& time, const Tensor& label) const;
  std::unique_ptr<const Forward> frozen() const override;
  /// With products in bfloat16 or not, whatever this network's own are.
  std::unique_ptr<const Forward> frozen(bool bf16_products) const;
  bool is_faster_in_bf16() const override;
  std::unique_ptr<Network> clone() const override;
  Json config() const override;
  std::vector<int64_t> event_shape() const override { return {options_.dimension}; }
  int64_t classes() const override { return options_.classes; }
  int64_t condition_size() const override { return options_.condition_size; }
  const MlpOptions& options() const { return options_; }

 private:
  MlpOptions options_;
  std::shared_ptr<const struct MlpLayers> layers_;
};

}  // namespace fokker
