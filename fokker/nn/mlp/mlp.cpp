#include "fokker/nn/mlp/mlp.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/nn/mlp/mlp_fused.h"
#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

void check_options(const MlpOptions& o) {
  check(o.dimension > 0, "Mlp: expected dimension > 0 but received {}", o.dimension);
  check(o.output_dimension >= 0, "Mlp: expected output_dimension >= 0 but received {}", o.output_dimension);
  check(o.width > 0, "Mlp: expected width > 0 but received {}", o.width);
  check(o.depth > 0, "Mlp: expected depth > 0 but received {}", o.depth);
  check(o.embedding_size > 0, "Mlp: expected embedding_size > 0 but received {}", o.embedding_size);
  check(o.classes >= 0, "Mlp: expected classes >= 0 but received {}", o.classes);
  check(o.condition_size >= 0, "Mlp: expected condition_size >= 0 but received {}", o.condition_size);
  check(
      o.condition_size == 0 || o.classes == 0,
      "Mlp: expected classes or a condition, not both, but received {} classes and a condition of {} numbers",
      o.classes, o.condition_size);
  check(!o.energy || o.output_dimension <= 1,
        "Mlp: expected no output_dimension for an energy but received {}", o.output_dimension);
}

}  // namespace

MlpOptions MlpOptions::from_config(const Json& config) {
  MlpOptions o;
  const detail::JsonReader reader(config, "network configuration");
  reader.read("dimension", o.dimension);
  reader.read("output_dimension", o.output_dimension);
  reader.read("width", o.width);
  reader.read("depth", o.depth);
  reader.read("activation", o.activation);
  reader.read("embedding", o.embedding);
  reader.read("embedding_size", o.embedding_size);
  reader.read("residual", o.residual);
  reader.read("classes", o.classes);
  reader.read("condition_size", o.condition_size);
  reader.read("time_scale", o.time_scale);
  reader.read("zero_output", o.zero_output);
  reader.read("energy", o.energy);
  return o;
}

Json Mlp::config() const {
  Json config = {{"_class_name", "FokkerMlp"},
                 {"dimension", options_.dimension},
                 {"output_dimension", options_.output_dimension},
                 {"width", options_.width},
                 {"depth", options_.depth},
                 {"activation", options_.activation},
                 {"embedding", options_.embedding},
                 {"embedding_size", options_.embedding_size},
                 {"residual", options_.residual},
                 {"classes", options_.classes},
                 {"time_scale", options_.time_scale},
                 {"zero_output", options_.zero_output},
                 {"energy", options_.energy}};
  if (options_.condition_size > 0) config["condition_size"] = options_.condition_size;
  return config;
}

Mlp::Mlp(const MlpOptions& options, uint64_t seed) try : options_(options) {
  check_options(options_);
  LayerBuilder builder(seed);
  layers_ = std::make_shared<const MlpLayers>(options_, builder);
  for (auto& p : builder.take()) add_parameter(std::move(p.name), std::move(p.tensor));
} catch (...) {
  detail::throw_as_error();
}

Tensor Mlp::forward_plain(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("Mlp", x, time, label, {options_.dimension}, layers_->classes.defined(),
                       options_.condition_size);
  return layers_->plain(x, time, label);
}

Tensor Mlp::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  if (!suits_fused_mlp(*layers_, x, time, label)) return forward_plain(x, time, label);
  std::vector<Tensor> tensors;
  for (const auto& p : parameters()) tensors.push_back(p.tensor);
  return fused_mlp(layers_, tensors, x, time, label);
}

std::unique_ptr<const Forward> Mlp::frozen() const {
  return frozen(bf16_products());
}

std::unique_ptr<const Forward> Mlp::frozen(bool bf16_products) const {
  if (!suits_fused_mlp(*layers_)) return nullptr;
  const Bf16Products products(bf16_products);
  return std::make_unique<FrozenMlp>(*layers_, factor_precision());
}

// Narrower ones spend their time beside the products.
bool Mlp::is_faster_in_bf16() const {
  constexpr int64_t least_width = 64;
  return options_.width >= least_width && suits_fused_mlp(*layers_) && kernel::bf16_unit_is_faster();
}

std::unique_ptr<Network> Mlp::clone() const {
  auto copy = std::make_unique<Mlp>(options_);
  copy->copy_parameters(*this);
  return copy;
}

}  // namespace fokker
