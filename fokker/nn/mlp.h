#pragma once
#include <string>
#include <vector>

#include "fokker/nn/layers.h"
#include "fokker/nn/network.h"
#include "fokker/nn/time_embedding.h"

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
  int64_t classes = 0;       ///< number of classes; one more row, the last, is the unconditional class
  double time_scale = 1000;  ///< multiplies the time before the sinusoidal embedding, and only there
  bool zero_output = true;   ///< the last layer starts at zero
  bool energy = false;       ///< one number for each sample, returned as (n)

  /// Reads what Mlp::config wrote. Input error for a value of the wrong type or range.
  static MlpOptions from_config(const Json& config);
};

/// A fully connected network for tables: x (n, dimension), time (n) or (1) -> (n, output_dimension), or (n)
/// for an energy.
///
/// The residual form adds `depth` blocks h + W2 act(W1 h + s_i), where the shifts s_i of all blocks come from
/// one small network of the time features and the class. The plain form is Linear, activation, ..., Linear on
/// the sample with its time features (and class vector) appended; with raw time and ELU it is the network of
/// the lecture notes' notebook, and its parameters carry the names of a PyTorch Sequential: 0.weight,
/// 0.bias, 2.weight, ...
class Mlp : public Network {
 public:
  /// Argument error for sizes that are not positive or an unknown activation or embedding.
  explicit Mlp(const MlpOptions& options, uint64_t seed = 0);

  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override;
  Json config() const override;
  std::vector<int64_t> event_shape() const override { return {options_.dimension}; }
  const MlpOptions& options() const { return options_; }

 private:
  struct Block {
    Linear first, second;
  };
  void build_plain(LayerBuilder& builder);
  void build_residual(LayerBuilder& builder);
  Tensor features(const Tensor& time) const;
  Tensor forward_plain(const Tensor& x, const Tensor& time, const Tensor& label) const;
  Tensor forward_residual(const Tensor& x, const Tensor& time, const Tensor& label) const;
  int64_t outputs() const;

  MlpOptions options_;
  TimeFeatures kind_;
  Activation activation_;
  std::vector<Linear> layers_;  // plain form
  Linear input_, output_, time_hidden_, time_shifts_;
  std::vector<Block> blocks_;
  ClassEmbedding classes_;
};

}  // namespace fokker
