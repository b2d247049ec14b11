#include "fokker/onnx/onnx_file.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/version.h"

namespace fokker {
namespace {

constexpr int64_t onnx_operator_set = 13;
constexpr int64_t onnx_ir_version = 7;

int32_t onnx_type(at::ScalarType type) {
  return type == at::kLong ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT;
}

void describe_value(const GraphValue& value, onnx::ValueInfoProto& info) {
  info.set_name(value.name);
  auto* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(onnx_type(value.type));
  for (const int64_t size : value.shape) {
    auto* dimension = tensor->mutable_shape()->add_dim();
    if (size < 0)
      dimension->set_dim_param("n");
    else
      dimension->set_dim_value(size);
  }
}

void add_constant(const NamedTensor& constant, onnx::GraphProto& graph) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  const bool whole = constant.tensor.scalar_type() == at::kLong;
  const Tensor values = constant.tensor.to(whole ? at::kLong : at::kFloat).contiguous();
  tensor.set_name(constant.name);
  tensor.set_data_type(onnx_type(values.scalar_type()));
  for (const int64_t size : values.sizes()) tensor.add_dims(size);
  tensor.set_raw_data(values.data_ptr(), values.nbytes());
}

void add_onnx_node(const GraphNode& node, onnx::GraphProto& graph) {
  onnx::NodeProto& made = *graph.add_node();
  made.set_op_type(node.op);
  for (const std::string& input : node.inputs) made.add_input(input);
  made.add_output(node.output);
  const auto attribute = [&](const std::string& name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& added = *made.add_attribute();
    added.set_name(name);
    added.set_type(type);
    return &added;
  };
  for (const auto& [name, values] : node.integers) {
    auto* list = attribute(name, onnx::AttributeProto::INTS);
    for (const int64_t value : values) list->add_ints(value);
  }
  for (const auto& [name, value] : node.numbers) attribute(name, onnx::AttributeProto::INT)->set_i(value);
  for (const auto& [name, value] : node.reals)
    attribute(name, onnx::AttributeProto::FLOAT)->set_f(static_cast<float>(value));
  for (const auto& [name, value] : node.texts) attribute(name, onnx::AttributeProto::STRING)->set_s(value);
}

}  // namespace

std::string encode_onnx(const Graph& graph, const std::map<std::string, std::string>& texts) try {
  uint64_t bytes = 0;
  for (const NamedTensor& constant : graph.constants) bytes += constant.tensor.nbytes();
  check(bytes < (uint64_t{1} << 31) - (1 << 24),
        "onnx: expected weights of less than 2 GiB but they are {} bytes", bytes);
  onnx::ModelProto model;
  model.set_ir_version(onnx_ir_version);
  model.set_producer_name("fokker");
  model.set_producer_version(library_version());
  model.add_opset_import()->set_version(onnx_operator_set);
  for (const auto& [key, value] : texts) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& made = *model.mutable_graph();
  made.set_name("denoiser");
  for (const GraphValue& input : graph.inputs) describe_value(input, *made.add_input());
  for (const GraphValue& output : graph.outputs) describe_value(output, *made.add_output());
  for (const NamedTensor& constant : graph.constants) add_constant(constant, made);
  for (const GraphNode& node : graph.nodes) add_onnx_node(node, made);
  onnx::checker::check_model(model);
  std::string encoded;
  if (!model.SerializeToString(&encoded)) fail(ErrorKind::failed, "onnx: the model could not be encoded");
  return encoded;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
