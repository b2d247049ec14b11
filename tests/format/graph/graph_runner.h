#pragma once
#include <map>

#include "fokker/core/check.h"
#include "fokker/format/graph/graph.h"

namespace fokker {

/// Runs a graph by ATen's own operations, as the definitions of ONNX's operators read: an interpreter that
/// shares nothing with the networks.
class GraphRunner {
 public:
  explicit GraphRunner(const Graph& graph) : graph_(graph) {}

  std::map<std::string, Tensor> operator()(std::map<std::string, Tensor> values) const {
    for (const NamedTensor& constant : graph_.constants)
      values[constant.name] =
          constant.tensor.is_floating_point() ? constant.tensor.to(at::kFloat) : constant.tensor;
    for (const GraphNode& node : graph_.nodes) {
      std::vector<Tensor> in;
      for (const std::string& name : node.inputs) {
        if (name.empty()) continue;
        check(values.contains(name), "graph: {} is used before it is made", name);
        in.push_back(values.at(name));
      }
      values[node.output] = run(node, in);
    }
    return values;
  }

 private:
  static Tensor run(const GraphNode& node, const std::vector<Tensor>& in) {
    const std::string& op = node.op;
    if (op == "Identity") return in[0];
    if (op == "Add") return in[0] + in[1];
    if (op == "Mul") return in[0] * in[1];
    if (op == "MatMul") return at::matmul(in[0], in[1]);
    if (op == "Gemm") return at::matmul(in[0], in[1].t()) + in[2];
    if (op == "Sin") return in[0].sin();
    if (op == "Cos") return in[0].cos();
    if (op == "Log") return in[0].log();
    if (op == "Div") return in[0] / in[1];
    if (op == "Round") return in[0].round();
    if (op == "Cast") return in[0].to(at::kLong);
    if (op == "Tanh") return in[0].tanh();
    if (op == "Erf") return in[0].erf();
    if (op == "Relu") return in[0].clamp_min(0);
    if (op == "Sigmoid") return 1 / (1 + (-in[0]).exp());
    if (op == "Elu") return at::where(in[0] > 0, in[0], in[0].exp() - 1);
    if (op == "Softplus") return (in[0].exp() + 1).log();
    if (op == "Softmax") return in[0].softmax(node.numbers.at("axis"));
    if (op == "Concat") return at::cat(in, node.numbers.at("axis"));
    if (op == "Transpose") return in[0].permute(node.integers.at("perm"));
    if (op == "Shape") return at::tensor(in[0].sizes(), at::kLong);
    return run_shaped(node, in);
  }

  static std::vector<int64_t> list(const Tensor& values) {
    return {values.data_ptr<int64_t>(), values.data_ptr<int64_t>() + values.numel()};
  }

  static Tensor run_shaped(const GraphNode& node, const std::vector<Tensor>& in) {
    const std::string& op = node.op;
    if (op == "Gather") return in[0].index({at::where(in[1] < 0, in[1] + in[0].size(0), in[1])});
    if (op == "Reshape") {
      std::vector<int64_t> shape = list(in[1]);
      for (size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == 0) shape[i] = in[0].size(static_cast<int64_t>(i));
      return in[0].reshape(shape);
    }
    if (op == "Conv") {
      const auto& pads = node.integers.at("pads");
      const Tensor padded = at::constant_pad_nd(in[0], {pads[1], pads[3], pads[0], pads[2]});
      return at::conv2d(padded, in[1], in[2], node.integers.at("strides"));
    }
    if (op == "InstanceNormalization") {
      const Tensor mean = in[0].mean({2}, true), variance = in[0].var(at::IntArrayRef{2}, false, true);
      return (in[0] - mean) / (variance + node.reals.at("epsilon")).sqrt() * in[1].unsqueeze(1) +
             in[2].unsqueeze(1);
    }
    if (op == "AveragePool") return at::avg_pool2d(in[0], node.integers.at("kernel_shape"));
    if (op == "Resize") return in[0].repeat_interleave(2, 2).repeat_interleave(2, 3);
    if (op == "Pad") {
      const auto pads = list(in[1]);
      return at::constant_pad_nd(in[0], {pads[3], pads[7], pads[2], pads[6]});
    }
    if (op == "Slice") {
      const auto ends = list(in[2]);
      return in[0].slice(2, 0, ends[0]).slice(3, 0, ends[1]);
    }
    fail(ErrorKind::argument, "graph: no operation {}", op);
  }

  const Graph& graph_;
};

}  // namespace fokker
