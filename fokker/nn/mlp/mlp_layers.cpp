#include "fokker/nn/mlp/mlp_layers.h"

namespace fokker {
namespace {

/// Adds a value and returns its place.
int64_t add_value(kernel::DenseGraph& graph, const kernel::DenseValue& value) {
  graph.values.push_back(value);
  return static_cast<int64_t>(graph.values.size()) - 1;
}

/// The edge of columns [first, first + size of from) and rows from `row` of a layer.
kernel::DenseEdge edge_of(const Linear& layer, int64_t from, int64_t to, int64_t first = 0, int64_t row = 0) {
  const int64_t stride = layer.weight.size(1);
  return {.from = from,
          .to = to,
          .weight = layer.weight.data_ptr<float>() + row * stride + first,
          .stride = stride,
          .bias = layer.bias.data_ptr<float>() + row};
}

Tensor column_frequencies(TimeFeatures kind, int64_t size) {
  if (kind == TimeFeatures::raw) return {};
  if (kind == TimeFeatures::fourier) return fourier_frequencies(size, at::kFloat);
  return sinusoidal_columns(size, {});
}

}  // namespace

MlpLayers::MlpLayers(const MlpOptions& o, LayerBuilder& builder)
    : options(o),
      kind(parse_time_features(o.embedding)),
      activation(o.activation),
      frequencies(column_frequencies(kind, o.embedding_size)) {
  if (options.residual)
    build_residual(builder);
  else
    build_plain(builder);
}

int64_t MlpLayers::outputs() const {
  if (options.energy) return 1;
  return options.output_dimension ? options.output_dimension : options.dimension;
}

void MlpLayers::build_plain(LayerBuilder& builder) {
  int64_t inputs = options.dimension + feature_size();
  if (options.classes > 0) {
    classes = builder.class_embedding("class_embedding", options.classes + 1, options.embedding_size);
    inputs += options.embedding_size;
  }
  inputs += condition_columns();
  // The numbers of a PyTorch Sequential count the activations too.
  for (int64_t i = 0; i < options.depth; ++i) {
    chain.push_back(builder.linear(std::to_string(2 * i), inputs, options.width));
    inputs = options.width;
  }
  chain.push_back(builder.linear(std::to_string(2 * options.depth), inputs, outputs(), options.zero_output));
}

void MlpLayers::build_residual(LayerBuilder& builder) {
  const int64_t width = options.width, hidden = 2 * options.embedding_size;
  time_hidden = builder.linear("time_embedding.linear_1", feature_size(), hidden);
  time_shifts = builder.linear("time_embedding.linear_2", hidden, options.depth * width);
  if (options.classes > 0) classes = builder.class_embedding("class_embedding", options.classes + 1, hidden);
  if (options.condition_size > 0) {
    condition.layer = builder.linear("condition_embedding", condition_columns(), hidden);
    condition_input.layer = builder.linear("condition_input", condition_columns(), width);
  }
  input = builder.linear("input", options.dimension, width);
  for (int64_t i = 0; i < options.depth; ++i) {
    const std::string name = "blocks." + std::to_string(i);
    blocks.push_back(
        {builder.linear(name + ".linear_1", width, width), builder.linear(name + ".linear_2", width, width)});
  }
  output = builder.linear("output", width, outputs(), options.zero_output);
}

Tensor MlpLayers::scaled(const Tensor& time) const {
  const bool changes = kind == TimeFeatures::sinusoidal && options.time_scale != 1;
  return changes ? time * options.time_scale : time;
}

Tensor MlpLayers::features(const Tensor& time) const {
  return time_features(kind, scaled(time), options.embedding_size);
}

Tensor MlpLayers::fused_features(const Tensor& time) const {
  const Tensor times = scaled(time);
  if (kind == TimeFeatures::raw) return times.contiguous().unsqueeze(1);
  return sinusoidal_rows(times, frequencies, kind == TimeFeatures::sinusoidal ? frequencies.size(0) / 2 : 0);
}

Tensor MlpLayers::plain(const Tensor& x, const Tensor& time, const Tensor& label) const {
  const Tensor y = options.residual ? plain_residual(x, time, label) : plain_chain(x, time, label);
  return options.energy ? y.squeeze(1) : y;
}

Tensor MlpLayers::plain_chain(const Tensor& x, const Tensor& time, const Tensor& label) const {
  const int64_t n = x.size(0);
  std::vector<Tensor> inputs = {x, features(time).expand({n, -1})};
  if (classes.defined()) inputs.push_back(classes(label).expand({n, -1}));
  if (options.condition_size > 0)
    inputs.push_back(condition_inputs(label, options.condition_size, x.options()).expand({n, -1}));
  Tensor h = at::cat(inputs, 1);
  for (size_t i = 0; i + 1 < chain.size(); ++i) h = activation(chain[i](h));
  return chain.back()(h);
}

Tensor MlpLayers::plain_residual(const Tensor& x, const Tensor& time, const Tensor& label) const {
  Tensor hidden = time_hidden(features(time));
  if (classes.defined()) hidden = hidden + classes(label);
  if (condition.defined()) hidden = hidden + condition(label);
  const auto shifts = time_shifts(activation(hidden)).chunk(options.depth, 1);
  Tensor h = input(x);
  if (condition_input.defined()) h = h + condition_input(label);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    h = h + block.second(activation(block.first(h).add_(shifts[i])));
  }
  return output(activation(h));
}

kernel::DenseGraph MlpLayers::graph() const {
  kernel::DenseGraph graph{.activation = activation.kind(), .inputs = 0, .values = {}, .edges = {}};
  add_value(graph, {.size = options.dimension});
  add_value(graph, {.size = feature_size()});
  if (classes.defined()) add_value(graph, {.size = classes.weight.size(1)});
  if (options.condition_size > 0) add_value(graph, {.size = condition_columns()});
  graph.inputs = static_cast<int64_t>(graph.values.size());
  if (options.residual)
    graph_of_blocks(graph);
  else
    graph_of_chain(graph);
  return graph;
}

void MlpLayers::graph_of_chain(kernel::DenseGraph& graph) const {
  int64_t h = add_value(graph, {.size = options.width, .activated = true});
  // What may be the same for all rows comes first, as where it is: the sum's rounding does not depend on it.
  for (int64_t from = 1, first = options.dimension; from < graph.inputs; first += graph.size_of(from++)) {
    graph.edges.push_back(edge_of(chain[0], from, h, first));
    graph.edges.back().bias = nullptr;
  }
  graph.edges.push_back(edge_of(chain[0], 0, h));
  for (size_t i = 1; i < chain.size(); ++i) {
    const bool last = i + 1 == chain.size();
    const int64_t next = add_value(graph, {.size = chain[i].weight.size(0), .activated = !last});
    graph.edges.push_back(edge_of(chain[i], h, next));
    h = next;
  }
}

void MlpLayers::graph_of_blocks(kernel::DenseGraph& graph) const {
  constexpr int64_t x = 0, features = 1, class_vector = 2, condition_row = 2;
  const int64_t width = options.width;
  const int64_t time = add_value(
      graph,
      {.size = time_hidden.weight.size(0), .activated = true, .skip = classes.defined() ? class_vector : -1});
  graph.edges.push_back(edge_of(time_hidden, features, time));
  if (condition.defined()) graph.edges.push_back(edge_of(condition.layer, condition_row, time));
  int64_t h = add_value(graph, {.size = width});
  if (condition_input.defined()) graph.edges.push_back(edge_of(condition_input.layer, condition_row, h));
  graph.edges.push_back(edge_of(input, x, h));
  for (size_t i = 0; i < blocks.size(); ++i) {
    const int64_t inner = add_value(graph, {.size = width, .activated = true});
    graph.edges.push_back(edge_of(time_shifts, time, inner, 0, static_cast<int64_t>(i) * width));
    graph.edges.push_back(edge_of(blocks[i].first, h, inner));
    const bool last = i + 1 == blocks.size();
    const int64_t next = add_value(graph, {.size = width, .activated = last, .skip = h});
    graph.edges.push_back(edge_of(blocks[i].second, inner, next));
    h = next;
  }
  const int64_t y = add_value(graph, {.size = outputs()});
  graph.edges.push_back(edge_of(output, h, y));
}

}  // namespace fokker
