#include "fokker/core/check.h"
#include "fokker/format/graph/network_graph.h"
#include "fokker/nn/time_embedding.h"

namespace fokker {
namespace {

using Name = GraphBuilder::Name;

/// The layers of an Mlp by the names of its parameters.
struct MlpGraph {
  GraphBuilder& graph;
  const Mlp& network;
  const MlpOptions& options = network.options();

  Name linear(const Name& x, const std::string& name) {
    return graph.linear(x, name, network.parameter(name + ".weight"), network.parameter(name + ".bias"));
  }

  /// (n, size) of time (n).
  Name features(const Name& time) {
    const TimeFeatures kind = parse_time_features(options.embedding);
    const Name column = graph.reshape(time, {-1, 1});
    if (kind == TimeFeatures::raw) return column;
    if (kind == TimeFeatures::fourier) {
      const Tensor frequencies = fourier_frequencies(options.embedding_size, at::kDouble).unsqueeze(0);
      return graph.add_node("Sin", {graph.multiply(column, graph.constant("frequencies", frequencies))});
    }
    return add_sinusoids(graph, graph.scale(time, options.time_scale),
                         sinusoidal_frequencies(options.embedding_size, {}, at::kDouble),
                         options.embedding_size, true);
  }

  Name class_vector(const Name& label) {
    return graph.add_node(
        "Gather",
        {graph.constant("class_embedding.weight", network.parameter("class_embedding.weight")), label});
  }

  Name chain(const NetworkInputs& in) {
    std::vector<Name> parts = {in.x, features(in.time)};
    if (options.classes > 0) parts.push_back(class_vector(in.label));
    if (options.condition_size > 0) parts.push_back(in.label);
    Name h = graph.concatenate(std::move(parts), 1);
    for (int64_t i = 0; i < options.depth; ++i)
      h = graph.activation(options.activation, linear(h, std::to_string(2 * i)));
    return linear(h, std::to_string(2 * options.depth));
  }

  Name residual(const NetworkInputs& in) {
    Name hidden = linear(features(in.time), "time_embedding.linear_1");
    if (options.classes > 0) hidden = graph.add(hidden, class_vector(in.label));
    if (options.condition_size > 0) hidden = graph.add(hidden, linear(in.label, "condition_embedding"));
    hidden = graph.activation(options.activation, hidden);
    Name h = linear(in.x, "input");
    if (options.condition_size > 0) h = graph.add(h, linear(in.label, "condition_input"));
    const Tensor &shift = network.parameter("time_embedding.linear_2.weight"),
                 &offset = network.parameter("time_embedding.linear_2.bias");
    for (int64_t i = 0; i < options.depth; ++i) {
      const std::string name = "blocks." + std::to_string(i);
      const auto rows = [&](const Tensor& all) { return all.narrow(0, i * options.width, options.width); };
      const Name told = graph.linear(hidden, name + ".time", rows(shift), rows(offset));
      const Name inner = graph.activation(options.activation, graph.add(linear(h, name + ".linear_1"), told));
      const Name branch = linear(inner, name + ".linear_2");
      h = graph.add(h, branch);
    }
    return linear(graph.activation(options.activation, h), "output");
  }
};

}  // namespace

Name add_sinusoids(GraphBuilder& graph, const Name& time, const Tensor& frequencies, int64_t size,
                   bool cosines_first) {
  const Name column = graph.reshape(time, {-1, 1});
  const Name angle = graph.multiply(column, graph.constant("frequencies", frequencies.unsqueeze(0)));
  const Name cosines = graph.add_node("Cos", {angle}), sines = graph.add_node("Sin", {angle});
  std::vector<Name> parts = cosines_first ? std::vector{cosines, sines} : std::vector{sines, cosines};
  if (size % 2 != 0) parts.push_back(graph.multiply(column, graph.number(0)));
  return graph.concatenate(std::move(parts), 1);
}

Name add_mlp(GraphBuilder& graph, const Mlp& network, const NetworkInputs& inputs) {
  MlpGraph made{graph, network};
  return network.options().residual ? made.residual(inputs) : made.chain(inputs);
}

Name add_network(GraphBuilder& graph, const Network& network, const NetworkInputs& inputs) {
  if (const auto* mlp = dynamic_cast<const Mlp*>(&network)) {
    check(!mlp->options().energy, "graph: an energy is used by its gradient, which a graph does not have");
    return add_mlp(graph, *mlp, inputs);
  }
  const auto* unet = dynamic_cast<const UNet*>(&network);
  check(unet != nullptr, "graph: expected a fully connected network or a U-Net but received {}",
        network.class_name());
  return add_unet(graph, *unet, inputs);
}

}  // namespace fokker
