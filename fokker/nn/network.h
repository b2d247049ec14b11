#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/core/text/json.h"
#include "fokker/nn/forward.h"

namespace fokker {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// A network with named parameters: (x, time, label) -> tensor of the shape of x (an energy: (n)).
/// Parameters are leaf tensors; `forward` is a pure function of them and records gradients as libtorch does.
///
/// A network of your own has forward, config and event_shape, adds its parameters in its constructor
/// (add_parameter) and uses the tensors returned, whose contents others exchange. Registered under the name
/// that config() gives as "_class_name" (register_network), it trains, saves, loads and clones like ours.
class Network : public Forward {
 public:
  // A copy would share its tensors with the original: `clone` says what is meant.
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// The same function of the weights as they are now, with bf16_products() as it is, laid out for many calls
  /// that record no gradients; null where there is no faster form. It keeps a copy of what it needs, and
  /// several threads may call it at once.
  virtual std::unique_ptr<const Forward> frozen() const { return nullptr; }

  /// Everything needed to build the same network again, without its weights: a JSON object with its name as
  /// "_class_name".
  virtual Json config() const = 0;

  /// Shape of one input sample, without the batch dimension.
  virtual std::vector<int64_t> event_shape() const = 0;

  /// Classes that a label can name, from 0 on; 0 where it has none. The unconditional one is not counted.
  virtual int64_t classes() const { return 0; }

  /// Numbers in the vector that a row may be conditioned on in place of a class; 0 where there is none.
  virtual int64_t condition_size() const { return 0; }

  /// Whether a row may have no label. A network of another program may know no such rows: it is trained with
  /// every label, and cannot be guided by weighing against none.
  virtual bool knows_no_label() const { return true; }

  /// A deep copy: same architecture, own parameters, of the same type, device and wish for gradients. Unless
  /// overridden (copy_parameters helps), made anew from config() by the registered maker: argument error
  /// where there is none of that name, or where it makes another class than this.
  virtual std::unique_ptr<Network> clone() const;

  /// The name that config() gives as "_class_name". Argument error where it gives none.
  std::string class_name() const;

  const std::vector<NamedTensor>& parameters() const { return parameters_; }
  /// The parameter of that name; an argument error lists the names near it.
  const Tensor& parameter(std::string_view name) const;
  int64_t parameter_count() const;

  /// Copies values into the parameters in place. Every name must be present with its shape, and none more.
  void load(const std::vector<NamedTensor>& values);
  void to(at::Device device, at::ScalarType type);
  void set_requires_grad(bool requires_grad);
  /// Whether products of factors rounded to bfloat16 make this network faster where it is, by this
  /// processor's own instructions.
  virtual bool is_faster_in_bf16() const { return false; }
  /// Whether denoisers run this network under Bf16Products; a clone does as the original. Where nothing is
  /// said they do not, but training and sampling choose. Not part of the configuration: how to compute, not
  /// what.
  void set_bf16_products(std::optional<bool> on) { bf16_products_ = on; }
  bool bf16_products() const { return bf16_products_.value_or(false); }
  bool chooses_products() const { return !bf16_products_; }

 protected:
  Network() = default;
  Network(Network&&) = default;
  Network& operator=(Network&&) = default;

  /// Registers a leaf parameter; returns it.
  Tensor add_parameter(std::string name, Tensor value);
  /// Takes another's values, type, device, wish for gradients and bf16 products; for overrides of `clone`.
  /// Its parameters must be these, by name and shape.
  void copy_parameters(const Network& from);
  std::vector<NamedTensor> parameters_;

 private:
  std::optional<bool> bf16_products_;
};

/// Makes a network from what its `config` returned, with weights initialised from `seed`. May throw Error.
using NetworkMaker = std::function<std::unique_ptr<Network>(const Json& config, uint64_t seed)>;

/// From now on networks whose config() says "_class_name": `name` are made by `maker`, so that load_model and
/// clone can; of two makers of one name the later is kept. From any thread. Argument error for an empty name
/// or maker, and for the names of this library's own networks.
void register_network(const std::string& name, NetworkMaker maker);
/// The names that make_network knows, sorted.
std::vector<std::string> network_names();

/// Builds a network from what `Network::config` returned (or from a diffusers UNet2DModel config), with
/// weights initialised from `seed`. Input error where the name is not known or the configuration is bad.
std::unique_ptr<Network> make_network(const Json& config, uint64_t seed);

}  // namespace fokker
