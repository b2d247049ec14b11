#pragma once
#include "fokker/kernel/matrix/dense.h"
#include "fokker/nn/layers.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/time_embedding.h"

namespace fokker {

/// The layers of an Mlp, in either form, and what they compute. Copies share the parameters.
struct MlpLayers {
  struct Block {
    Linear first, second;
  };

  MlpLayers(const MlpOptions& options, LayerBuilder& builder);

  /// Features of time that the layers receive: (n, size) or (1, size).
  Tensor features(const Tensor& time) const;
  /// The same for float32 on the CPU, each row by itself.
  Tensor fused_features(const Tensor& time) const;
  /// The result by ATen's operations, for checked inputs: (n, outputs), or (n) for an energy.
  Tensor plain(const Tensor& x, const Tensor& time, const Tensor& label) const;
  /// The same as a graph whose given values are x, the features and, where there are classes, their vectors,
  /// or the inputs of the condition's layers.
  kernel::DenseGraph graph() const;
  int64_t outputs() const;

  MlpOptions options;
  TimeFeatures kind;
  Activation activation;
  std::vector<Linear> chain;  ///< plain form
  Linear input, output, time_hidden, time_shifts;
  std::vector<Block> blocks;
  ClassEmbedding classes;
  ConditionEmbedding condition;        ///< residual form: beside the time's features
  ConditionEmbedding condition_input;  ///< and beside the sample
  Tensor
      frequencies;  ///< of the features' columns, in float32; the first half of sinusoidal ones are cosines
  kernel::Pool<kernel::DenseTape> tapes;  ///< so that training steps take the memory of earlier ones

 private:
  void build_plain(LayerBuilder& builder);
  void build_residual(LayerBuilder& builder);
  Tensor scaled(const Tensor& time) const;
  Tensor plain_chain(const Tensor& x, const Tensor& time, const Tensor& label) const;
  Tensor plain_residual(const Tensor& x, const Tensor& time, const Tensor& label) const;
  void graph_of_chain(kernel::DenseGraph& graph) const;
  void graph_of_blocks(kernel::DenseGraph& graph) const;
  /// The columns of the condition's layers; 0 where there is none.
  int64_t condition_columns() const { return options.condition_size > 0 ? options.condition_size + 1 : 0; }
  int64_t feature_size() const { return kind == TimeFeatures::raw ? 1 : options.embedding_size; }
};

}  // namespace fokker
