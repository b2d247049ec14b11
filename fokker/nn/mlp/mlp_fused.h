#pragma once
#include "fokker/nn/mlp/mlp_layers.h"

namespace fokker {

/// True for a network of float32 on the CPU that is no energy.
bool suits_fused_mlp(const MlpLayers& layers);
/// True where the fused form also pays for this call, and gives all gradients that can be asked for.
bool suits_fused_mlp(const MlpLayers& layers, const Tensor& x, const Tensor& time, const Tensor& label);

/// What MlpLayers::plain computes, for inputs that suit it (argument error where they do not), as one node of
/// the graph: gradients of the parameters, which are all those of the layers. They come as consecutive parts
/// of one tensor, in their order. A second derivative runs the plain form.
Tensor fused_mlp(const std::shared_ptr<const MlpLayers>& layers, const std::vector<Tensor>& parameters,
                 const Tensor& x, const Tensor& time, const Tensor& label);

/// An Mlp with its weights laid out once. One time and class for the whole batch cost no more than for one
/// row. Nothing in it changes: several threads may call it at once.
class FrozenMlp final : public Forward {
 public:
  FrozenMlp(const MlpLayers& layers, kernel::FactorPrecision precision);
  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override;

 private:
  MlpLayers layers_;  ///< without weights, but for the classes'
  kernel::DenseGraph graph_;
  kernel::DenseWeights weights_;
};

}  // namespace fokker
