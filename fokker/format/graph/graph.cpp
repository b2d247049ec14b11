#include "fokker/format/graph/graph.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

using Name = GraphBuilder::Name;

Json json_of(const std::vector<GraphValue>& values) {
  Json json = Json::array();
  for (const auto& [name, type, shape] : values)
    json.push_back({{"name", name}, {"type", type == at::kLong ? "int64" : "float32"}, {"shape", shape}});
  return json;
}

}  // namespace

Name GraphBuilder::input(std::string name, at::ScalarType type, std::vector<int64_t> shape) {
  graph_.inputs.push_back({std::move(name), type, std::move(shape)});
  return graph_.inputs.back().name;
}

void GraphBuilder::output(const std::string& name, const Name& value, std::vector<int64_t> shape) {
  graph_.nodes.push_back({.op = "Identity", .inputs = {value}, .output = name});
  graph_.outputs.push_back({name, at::kFloat, std::move(shape)});
}

Name GraphBuilder::constant(const std::string& name, const Tensor& value) {
  for (const NamedTensor& known : graph_.constants)
    if (known.name == name) return name;
  graph_.constants.push_back({name, value.detach().to(at::kCPU).contiguous()});
  return name;
}

Name GraphBuilder::integers(const std::vector<int64_t>& values) {
  std::string name = "integers";
  for (const int64_t value : values) name += fmt::format(".{}", value);
  return constant(name, at::tensor(values, at::kLong));
}

Name GraphBuilder::number(double value) {
  return constant(fmt::format("number.{}", value), at::full({1}, value, at::kDouble));
}

Name GraphBuilder::add_node(GraphNode node) {
  node.output = fmt::format("v{}", made_++);
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().output;
}

Name GraphBuilder::transpose(const Name& x, std::vector<int64_t> order) {
  return add_node({.op = "Transpose", .inputs = {x}, .output = {}, .integers = {{"perm", std::move(order)}}});
}

Name GraphBuilder::concatenate(std::vector<Name> parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  return add_node({.op = "Concat", .inputs = std::move(parts), .output = {}, .numbers = {{"axis", axis}}});
}

Name GraphBuilder::linear(const Name& x, const std::string& name, const Tensor& weight, const Tensor& bias) {
  return add_node({.op = "Gemm",
                   .inputs = {x, constant(name + ".weight", weight), constant(name + ".bias", bias)},
                   .output = {},
                   .numbers = {{"transB", 1}}});
}

Name GraphBuilder::activation(const std::string& kind, const Name& x) {
  if (kind == "silu") return multiply(x, add_node("Sigmoid", {x}));
  if (kind == "elu") return add_node("Elu", {x});
  if (kind == "relu") return add_node("Relu", {x});
  if (kind == "tanh") return add_node("Tanh", {x});
  if (kind == "softplus") return add_node("Softplus", {x});
  check(kind == "gelu", "graph: no operation for the activation '{}'", kind);
  const Name erf = add_node("Erf", {scale(x, 1 / std::sqrt(2.0))});
  return multiply(scale(x, 0.5), add(erf, number(1)));
}

Json graph_json(const Graph& graph) {
  Json nodes = Json::array();
  for (const GraphNode& node : graph.nodes) {
    Json json = {{"op", node.op}, {"inputs", node.inputs}, {"output", node.output}};
    for (const auto& [name, values] : node.integers) json[name] = values;
    for (const auto& [name, value] : node.numbers) json[name] = value;
    for (const auto& [name, value] : node.reals) json[name] = value;
    for (const auto& [name, value] : node.texts) json[name] = value;
    nodes.push_back(std::move(json));
  }
  return {
      {"inputs", json_of(graph.inputs)}, {"outputs", json_of(graph.outputs)}, {"nodes", std::move(nodes)}};
}

}  // namespace fokker
