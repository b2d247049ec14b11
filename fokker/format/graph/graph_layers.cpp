#include "fokker/format/graph/graph_layers.h"

#include <cmath>

namespace fokker {

GraphBuilder::Name GraphLayers::parameter(const Tensor& tensor, const std::vector<int64_t>& shape) {
  const std::string& name = name_of(tensor);
  return graph_.constant(name, shape.empty() ? tensor : tensor.view(shape));
}

GraphBuilder::Name GraphLayers::linear(const Name& x, const Linear& layer) {
  std::string name = name_of(layer.weight);
  if (!layer.bias.defined())
    return graph_.add_node("MatMul", {x, graph_.constant(name + ".t", layer.weight.t())});
  name.resize(name.size() - std::string_view(".weight").size());
  return graph_.linear(x, name, layer.weight, layer.bias);
}

GraphBuilder::Name GraphLayers::time_layers(const Name& x, const TimeLayers& layers) {
  return linear(activated(layers.activation, linear(x, layers.linear1)), layers.linear2);
}

GraphBuilder::Name GraphLayers::convolution(const Name& x, const Convolution& layer) {
  const int64_t pad = layer.padding, size = layer.weight.size(2);
  // Without padding at all, diffusers' Downsample2D adds a row and a column at the end.
  const int64_t end = layer.stride == 2 && pad == 0 ? 1 : pad;
  return graph_.add_node({.op = "Conv",
                          .inputs = {x, parameter(layer.weight), parameter(layer.bias)},
                          .output = {},
                          .integers = {{"kernel_shape", {size, size}},
                                       {"pads", {pad, pad, end, end}},
                                       {"strides", {layer.stride, layer.stride}}}});
}

GraphBuilder::Name GraphLayers::pixelwise(const Name& x, const Linear& layer) {
  const int64_t outputs = layer.weight.size(0), inputs = layer.weight.size(1);
  const Name bias = layer.bias.defined()
                        ? parameter(layer.bias)
                        : graph_.constant(fmt::format("zeros.{}", outputs), at::zeros({outputs}));
  return graph_.add_node(
      {.op = "Conv",
       .inputs = {x, parameter(layer.weight, {outputs, inputs, 1, 1}), bias},
       .output = {},
       .integers = {{"kernel_shape", {1, 1}}, {"pads", {0, 0, 0, 0}}, {"strides", {1, 1}}}});
}

GraphBuilder::Name GraphLayers::normalised(const Name& x, const GroupNorm& norm) {
  const int64_t channels = norm.weight.size(0), groups = norm.groups;
  const Name ones = graph_.constant(fmt::format("ones.{}", groups), at::ones({groups}));
  const Name zeros = graph_.constant(fmt::format("zeros.{}", groups), at::zeros({groups}));
  const Name rows = graph_.reshape(x, {0, groups, -1});
  const Name standard = graph_.add_node({.op = "InstanceNormalization",
                                         .inputs = {rows, ones, zeros},
                                         .output = {},
                                         .reals = {{"epsilon", norm.eps}}});
  const Name back = graph_.add_node("Reshape", {standard, graph_.add_node("Shape", {x})});
  return graph_.add(graph_.multiply(back, parameter(norm.weight, {channels, 1, 1})),
                    parameter(norm.bias, {channels, 1, 1}));
}

GraphBuilder::Name GraphLayers::activated(const std::string& name, const Name& x) {
  if (name != "mish") return graph_.activation(name, x);
  return graph_.multiply(x, graph_.add_node("Tanh", {graph_.add_node("Softplus", {x})}));
}

GraphBuilder::Name GraphLayers::mixed(const Name& h, const Linear& query_layer, const Linear& key_layer,
                                      const Linear& value_layer, int64_t heads) {
  const int64_t size = query_layer.weight.size(0) / heads;
  // (n, heads, size, pixels)
  const auto split = [&](const Linear& layer) {
    return graph_.reshape(pixelwise(h, layer), {0, heads, size, -1});
  };
  const Name query = graph_.scale(graph_.transpose(split(query_layer), {0, 1, 3, 2}),
                                  1 / std::sqrt(static_cast<double>(size)));
  const Name weights = graph_.add_node({.op = "Softmax",
                                        .inputs = {graph_.add_node("MatMul", {query, split(key_layer)})},
                                        .output = {},
                                        .numbers = {{"axis", -1}}});
  const Name values = graph_.transpose(split(value_layer), {0, 1, 3, 2});
  const Name sums = graph_.transpose(graph_.add_node("MatMul", {weights, values}), {0, 1, 3, 2});
  return graph_.add_node("Reshape", {sums, graph_.add_node("Shape", {h})});
}

GraphBuilder::Name GraphLayers::normalised(const Name& x, const LayerNorm& norm, int64_t pixels) {
  const int64_t channels = norm.weight.size(0);
  const Name ones = graph_.constant(fmt::format("ones.{}", pixels), at::ones({pixels}));
  const Name zeros = graph_.constant(fmt::format("zeros.{}", pixels), at::zeros({pixels}));
  const Name rows = graph_.transpose(graph_.reshape(x, {0, channels, -1}), {0, 2, 1});
  const Name standard = graph_.add_node({.op = "InstanceNormalization",
                                         .inputs = {rows, ones, zeros},
                                         .output = {},
                                         .reals = {{"epsilon", norm.eps}}});
  const Name back =
      graph_.add_node("Reshape", {graph_.transpose(standard, {0, 2, 1}), graph_.add_node("Shape", {x})});
  return graph_.add(graph_.multiply(back, parameter(norm.weight, {channels, 1, 1})),
                    parameter(norm.bias, {channels, 1, 1}));
}

GraphBuilder::Name GraphLayers::part_of(const Name& x, const Linear& layer, int64_t first, int64_t count,
                                        const char* what) {
  const std::string name = name_of(layer.weight) + what;
  const Tensor weight = layer.weight.narrow(0, first, count);
  return graph_.add_node(
      {.op = "Conv",
       .inputs = {x, graph_.constant(name, weight.reshape({count, -1, 1, 1})),
                  graph_.constant(name + ".bias", layer.bias.narrow(0, first, count))},
       .output = {},
       .integers = {{"kernel_shape", {1, 1}}, {"pads", {0, 0, 0, 0}}, {"strides", {1, 1}}}});
}

GraphBuilder::Name GraphLayers::transformer_layer(Name h, const TransformerLayer& layer, const Name& token,
                                                  int64_t pixels) {
  const int64_t inner = layer.back.weight.size(1);
  const Name seen = normalised(h, layer.norm1, pixels);
  h = graph_.add(h, pixelwise(mixed(seen, layer.query, layer.key, layer.value, layer.heads), layer.out));
  const Name said = linear(linear(token, layer.token_value), layer.token_out);
  h = graph_.add(h, graph_.reshape(said, {0, -1, 1, 1}));
  const Name last = normalised(h, layer.norm3, pixels);
  const Name gated =
      graph_.multiply(part_of(last, layer.gate, 0, inner, ".values"),
                      graph_.activation("gelu", part_of(last, layer.gate, inner, inner, ".gate")));
  return graph_.add(h, pixelwise(gated, layer.back));
}

}  // namespace fokker
