#pragma once
#include <map>
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/nn/network.h"

namespace fokker {

/// One operation of ONNX (operator set 13): `output` = op(`inputs`), by name. An input may be "", which is
/// not given.
struct GraphNode {
  std::string op;
  std::vector<std::string> inputs;
  std::string output;
  std::map<std::string, std::vector<int64_t>> integers = {};  ///< attributes that are lists
  std::map<std::string, int64_t> numbers = {};                ///< attributes that are whole numbers
  std::map<std::string, double> reals = {};                   ///< attributes that are real numbers
  std::map<std::string, std::string> texts = {};              ///< attributes that are texts
};

/// A value that a graph is given, or gives: its name, its type, and its shape, where -1 is the number of
/// rows.
struct GraphValue {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
};

/// A function as a list of operations, in the order in which they can be run, for programs that have neither
/// our networks nor libtorch. Its operations are ONNX's, so that an interpreter of either form is one of
/// both.
/// Constants that are no weights are float64, to be rounded to the type that it is computed in.
struct Graph {
  std::vector<GraphValue> inputs, outputs;
  std::vector<NamedTensor> constants;
  std::vector<GraphNode> nodes;
};

/// Writes a graph down, operation by operation. Each method returns the name of its result.
class GraphBuilder {
 public:
  using Name = std::string;

  Name input(std::string name, at::ScalarType type, std::vector<int64_t> shape);
  void output(const std::string& name, const Name& value, std::vector<int64_t> shape);
  /// The same tensor under the same name is written once.
  Name constant(const std::string& name, const Tensor& value);
  Name integers(const std::vector<int64_t>& values);
  Name number(double value);
  Name add_node(GraphNode node);
  Name add_node(const std::string& op, std::vector<Name> inputs) {
    return add_node(GraphNode{.op = op, .inputs = std::move(inputs), .output = {}});
  }

  Name add(const Name& a, const Name& b) { return add_node("Add", {a, b}); }
  Name multiply(const Name& a, const Name& b) { return add_node("Mul", {a, b}); }
  Name scale(const Name& a, double factor) { return factor == 1 ? a : multiply(a, number(factor)); }
  Name reshape(const Name& x, const std::vector<int64_t>& shape) {
    return add_node("Reshape", {x, integers(shape)});
  }
  Name transpose(const Name& x, std::vector<int64_t> order);
  Name concatenate(std::vector<Name> parts, int64_t axis);
  /// x W^T + b of rows (n, inputs).
  Name linear(const Name& x, const std::string& name, const Tensor& weight, const Tensor& bias);
  /// silu, elu, relu, gelu, tanh or softplus.
  Name activation(const std::string& kind, const Name& x);
  Name silu(const Name& x) { return activation("silu", x); }

  Graph take() { return std::move(graph_); }

 private:
  Graph graph_;
  int64_t made_ = 0;
};

/// As JSON: {"inputs", "outputs", "nodes": [{"op", "inputs", "output", attributes...}]}, without the
/// constants.
Json graph_json(const Graph& graph);

}  // namespace fokker
