#pragma once
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/core/text/json.h"

namespace fokker {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// A network with named parameters: (x, time, label) -> tensor of the shape of x (an energy: (n)).
/// Parameters are leaf tensors; `forward` is a pure function of them and records gradients as libtorch does.
class Network {
 public:
  virtual ~Network() = default;
  // A copy would share its tensors with the original: `clone` says what is meant.
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// x: (n, event...); time: (n), or (1) for the whole batch, same dtype as x; label: (n) or (1) int64, or
  /// undefined. With class embeddings, label -1 (or undefined) is the unconditional class.
  virtual Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const = 0;

  /// The same function of the weights as they are now, laid out for many calls that record no gradients; null
  /// where there is no faster form. It keeps a copy of what it needs and has no parameters of its own.
  virtual std::unique_ptr<const Network> frozen() const { return nullptr; }

  /// Everything needed to build the same network again, without its weights.
  virtual Json config() const = 0;

  /// Shape of one input sample, without the batch dimension.
  virtual std::vector<int64_t> event_shape() const = 0;

  /// Classes that a label can name, from 0 on; 0 where it has none. The unconditional one is not counted.
  virtual int64_t classes() const { return 0; }

  /// A deep copy: same architecture, own parameters.
  std::unique_ptr<Network> clone() const;

  const std::vector<NamedTensor>& parameters() const { return parameters_; }
  /// The parameter of that name; an argument error lists the names near it.
  const Tensor& parameter(std::string_view name) const;
  int64_t parameter_count() const;

  /// Copies values into the parameters in place. Every name must be present with its shape, and none more.
  void load(const std::vector<NamedTensor>& values);
  void to(at::Device device, at::ScalarType type);
  void set_requires_grad(bool requires_grad);
  /// Whether denoisers run this network under Bf16Products; a clone does as the original. Not part of the
  /// configuration: how to compute, not what.
  void set_bf16_products(bool on) { bf16_products_ = on; }
  bool bf16_products() const { return bf16_products_; }

 protected:
  Network() = default;
  Network(Network&&) = default;
  Network& operator=(Network&&) = default;

  /// Registers a leaf parameter; returns it.
  Tensor add_parameter(std::string name, Tensor value);
  std::vector<NamedTensor> parameters_;

 private:
  bool bf16_products_ = false;
};

/// Builds a network from what `Network::config` returned (or from a diffusers UNet2DModel config), with
/// weights initialised from `seed`.
std::unique_ptr<Network> make_network(const Json& config, uint64_t seed);

}  // namespace fokker
