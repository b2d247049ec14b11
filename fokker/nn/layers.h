#pragma once
#include <string>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/vector/activation.h"
#include "fokker/nn/convolution.h"
#include "fokker/nn/group_norm.h"
#include "fokker/nn/network.h"

namespace fokker {

/// y = x W^T + b over the last dimension. weight (out, in), bias (out), or undefined for none.
struct Linear {
  Tensor weight, bias;
  Tensor operator()(const Tensor& x) const;
};

/// A two-dimensional convolution. weight (out, in, k, k), bias (out).
struct Convolution {
  Tensor weight, bias;
  int64_t stride = 1;
  int64_t padding = 1;
  Tensor operator()(const Tensor& x) const;
};

/// Group normalisation (Wu and He 2018) with a scale and shift per channel, and what follows it.
struct GroupNorm {
  Tensor weight, bias;
  int64_t groups = 32;
  double eps = 1e-5;
  Tensor operator()(const Tensor& x, kernel::NormActivation activation) const;
};

/// Normalisation of the last dimension (Ba et al. 2016) with a scale and shift of each number.
struct LayerNorm {
  Tensor weight, bias;
  double eps = 1e-5;
  Tensor operator()(const Tensor& x) const;
};

/// convolution(silu(norm(x))) + shift + residual, for a 3 x 3 convolution of stride 1; a shift (n, outputs)
/// or (1, outputs), and both may be undefined.
Tensor normalised_convolution(const GroupNorm& norm, const Convolution& convolution, const Tensor& x,
                              const Tensor& shift = {}, const Tensor& residual = {});

/// One learned vector for each class: weight (rows, size). One row is the unconditional class, where there is
/// one; classes are counted without it.
struct ClassEmbedding {
  Tensor weight;
  bool unconditional = true;
  int64_t unconditional_row = -1;  ///< -1: the last
  bool defined() const { return weight.defined(); }
  /// label (n) int64, -1 for unconditional, -> (n, size); an undefined label -> (1, size). Argument error
  /// where a label is not in [-1, rows), or without an unconditional class not in [0, rows) or undefined.
  Tensor operator()(const Tensor& label) const;
  /// The rows of the weight that these are: (n), or (1) for an undefined label.
  Tensor rows(const Tensor& label) const;
};

/// What layers are given of the vectors that rows are conditioned on, (n, k) or (1, k) with rows of NaN for
/// none, or undefined: (n, k + 1) or (1, k + 1), the vector's numbers, 0 where there is none, and 1 where
/// there is none, else 0, so that the last column of a weight stands in place of a condition. A row with any
/// NaN has none.
Tensor condition_inputs(const Tensor& condition, int64_t k, const at::TensorOptions& type);

/// A layer of condition_inputs.
struct ConditionEmbedding {
  Linear layer;  ///< weight (size, k + 1)
  bool defined() const { return layer.weight.defined(); }
  int64_t condition_size() const { return defined() ? layer.weight.size(1) - 1 : 0; }
  /// (n, k) or (1, k) or undefined -> (n, size) or (1, size).
  Tensor operator()(const Tensor& condition) const {
    return layer(condition_inputs(condition, condition_size(), layer.weight.options()));
  }
};

/// An elementwise function by name: silu, elu, relu, gelu, tanh, softplus.
class Activation {
 public:
  explicit Activation(const std::string& name);
  /// May overwrite `x`, which must be a temporary of the caller.
  Tensor operator()(Tensor x) const;
  const std::string& name() const { return name_; }
  kernel::ActivationKind kind() const { return kind_; }

 private:
  kernel::ActivationKind kind_;
  std::string name_;
};

/// SiLU of a temporary: in place where no gradient needs the input.
Tensor apply_silu(Tensor x);

/// While it lives, the layers that its thread makes have weights of any values: for networks that are loaded
/// next, which would draw millions of numbers in vain.
class UndrawnWeights {
 public:
  UndrawnWeights();
  ~UndrawnWeights();
  UndrawnWeights(const UndrawnWeights&) = delete;
  UndrawnWeights& operator=(const UndrawnWeights&) = delete;
  static bool active();

 private:
  bool before_;
};

/// Makes layers with initial weights drawn by name from a seed, so that adding a layer does not change the
/// others. Weights and biases are uniform in +-1/sqrt(fan in), PyTorch's default.
class LayerBuilder {
 public:
  explicit LayerBuilder(uint64_t seed) : rng_(Rng(seed).stream("network")) {}

  Linear linear(const std::string& name, int64_t inputs, int64_t outputs, bool zero = false);
  /// A layer without a bias.
  Linear projection(const std::string& name, int64_t inputs, int64_t outputs);
  Convolution convolution(const std::string& name, int64_t inputs, int64_t outputs, int64_t kernel,
                          bool zero = false);
  GroupNorm group_norm(const std::string& name, int64_t channels, int64_t groups, double eps);
  LayerNorm layer_norm(const std::string& name, int64_t size);
  ClassEmbedding class_embedding(const std::string& name, int64_t rows, int64_t size);
  /// A parameter of that very name, normal with deviation `scale`.
  Tensor normal(const std::string& name, IntArrayRef shape, double scale);

  /// All tensors made so far, in order.
  std::vector<NamedTensor> take() { return std::move(parameters_); }

 private:
  Tensor add(std::string name, Tensor value);
  Tensor uniform(const std::string& name, IntArrayRef shape, int64_t fan_in, bool zero);
  Rng rng_;
  std::vector<NamedTensor> parameters_;
};

/// Checks the inputs of a network: x (n, event...), time (n) or (1) of the type of x, label undefined, or of
/// classes (n) or (1) int64, or of a condition (n, condition_size) or (1, condition_size) of the type of x.
/// `name` begins the message.
void check_network_inputs(std::string_view name, const Tensor& x, const Tensor& time, const Tensor& label,
                          IntArrayRef event_shape, bool has_classes, int64_t condition_size = 0);

}  // namespace fokker
