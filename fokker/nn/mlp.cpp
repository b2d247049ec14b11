#include "fokker/nn/mlp.h"

#include "fokker/core/error.h"
#include "fokker/nn/config_reader.h"

namespace fokker {
namespace {

void check_options(const MlpOptions& o) {
  check(o.dimension > 0, "Mlp: expected dimension > 0 but received {}", o.dimension);
  check(o.output_dimension >= 0, "Mlp: expected output_dimension >= 0 but received {}", o.output_dimension);
  check(o.width > 0, "Mlp: expected width > 0 but received {}", o.width);
  check(o.depth > 0, "Mlp: expected depth > 0 but received {}", o.depth);
  check(o.embedding_size > 0, "Mlp: expected embedding_size > 0 but received {}", o.embedding_size);
  check(o.classes >= 0, "Mlp: expected classes >= 0 but received {}", o.classes);
  check(!o.energy || o.output_dimension <= 1,
        "Mlp: expected no output_dimension for an energy but received {}", o.output_dimension);
}

}  // namespace

MlpOptions MlpOptions::from_config(const Json& config) {
  MlpOptions o;
  const ConfigReader reader(config);
  reader.read("dimension", o.dimension);
  reader.read("output_dimension", o.output_dimension);
  reader.read("width", o.width);
  reader.read("depth", o.depth);
  reader.read("activation", o.activation);
  reader.read("embedding", o.embedding);
  reader.read("embedding_size", o.embedding_size);
  reader.read("residual", o.residual);
  reader.read("classes", o.classes);
  reader.read("time_scale", o.time_scale);
  reader.read("zero_output", o.zero_output);
  reader.read("energy", o.energy);
  return o;
}

Json Mlp::config() const {
  return {{"_class_name", "FokkerMlp"},
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
}

Mlp::Mlp(const MlpOptions& options, uint64_t seed)
    : options_(options), kind_(parse_time_features(options.embedding)), activation_(options.activation) {
  check_options(options_);
  LayerBuilder builder(seed);
  if (options_.residual)
    build_residual(builder);
  else
    build_plain(builder);
  for (auto& p : builder.take()) add_parameter(std::move(p.name), std::move(p.tensor));
}

int64_t Mlp::outputs() const {
  if (options_.energy) return 1;
  return options_.output_dimension ? options_.output_dimension : options_.dimension;
}

void Mlp::build_plain(LayerBuilder& builder) {
  const int64_t size = options_.embedding_size;
  int64_t inputs = options_.dimension + (kind_ == TimeFeatures::raw ? 1 : size);
  if (options_.classes > 0) {
    classes_ = builder.class_embedding("class_embedding", options_.classes + 1, size);
    inputs += size;
  }
  // The numbers of a PyTorch Sequential count the activations too.
  for (int64_t i = 0; i < options_.depth; ++i) {
    layers_.push_back(builder.linear(std::to_string(2 * i), inputs, options_.width));
    inputs = options_.width;
  }
  layers_.push_back(
      builder.linear(std::to_string(2 * options_.depth), inputs, outputs(), options_.zero_output));
}

void Mlp::build_residual(LayerBuilder& builder) {
  const int64_t width = options_.width, hidden = 2 * options_.embedding_size;
  const int64_t inputs = kind_ == TimeFeatures::raw ? 1 : options_.embedding_size;
  time_hidden_ = builder.linear("time_embedding.linear_1", inputs, hidden);
  time_shifts_ = builder.linear("time_embedding.linear_2", hidden, options_.depth * width);
  if (options_.classes > 0)
    classes_ = builder.class_embedding("class_embedding", options_.classes + 1, hidden);
  input_ = builder.linear("input", options_.dimension, width);
  for (int64_t i = 0; i < options_.depth; ++i) {
    const std::string name = "blocks." + std::to_string(i);
    blocks_.push_back(
        {builder.linear(name + ".linear_1", width, width), builder.linear(name + ".linear_2", width, width)});
  }
  output_ = builder.linear("output", width, outputs(), options_.zero_output);
}

Tensor Mlp::features(const Tensor& time) const {
  const bool scaled = kind_ == TimeFeatures::sinusoidal && options_.time_scale != 1;
  return time_features(kind_, scaled ? time * options_.time_scale : time, options_.embedding_size);
}

Tensor Mlp::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("Mlp", x, time, label, {options_.dimension}, classes_.defined());
  const Tensor y = options_.residual ? forward_residual(x, time, label) : forward_plain(x, time, label);
  return options_.energy ? y.squeeze(1) : y;
}

Tensor Mlp::forward_plain(const Tensor& x, const Tensor& time, const Tensor& label) const {
  const int64_t n = x.size(0);
  std::vector<Tensor> inputs = {x, features(time).expand({n, -1})};
  if (classes_.defined()) inputs.push_back(classes_(label).expand({n, -1}));
  Tensor h = at::cat(inputs, 1);
  for (size_t i = 0; i + 1 < layers_.size(); ++i) h = activation_(layers_[i](h));
  return layers_.back()(h);
}

Tensor Mlp::forward_residual(const Tensor& x, const Tensor& time, const Tensor& label) const {
  Tensor hidden = time_hidden_(features(time));
  if (classes_.defined()) hidden = hidden + classes_(label);
  const auto shifts = time_shifts_(activation_(hidden)).chunk(options_.depth, 1);
  Tensor h = input_(x);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    h = h + block.second(activation_(block.first(h).add_(shifts[i])));
  }
  return output_(activation_(h));
}

}  // namespace fokker
