// The bytes of an ONNX file, read by ONNX's own protocol buffers, say what the denoiser says.
#include <gtest/gtest.h>

#ifdef FOKKER_ONNX
#include <onnx/onnx_pb.h>

#include "fokker/format/exchange.h"
#include "fokker/format/graph/denoiser_graph.h"
#include "fokker/onnx/onnx_file.h"
#include "folder.h"
#include "format/graph/graph_models.h"
#include "format/graph/graph_runner.h"

namespace fokker {
namespace {

Tensor tensor_from(const onnx::TensorProto& proto) {
  const std::vector<int64_t> shape(proto.dims().begin(), proto.dims().end());
  const Tensor tensor =
      at::empty(shape, proto.data_type() == onnx::TensorProto::INT64 ? at::kLong : at::kFloat);
  EXPECT_EQ(proto.raw_data().size(), tensor.nbytes());
  std::memcpy(tensor.data_ptr(), proto.raw_data().data(), tensor.nbytes());
  return tensor;
}

/// The inverse of encode_onnx.
Graph graph_from(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  Graph graph;
  for (const auto& tensor : model.graph().initializer())
    graph.constants.push_back({tensor.name(), tensor_from(tensor)});
  for (const auto& proto : model.graph().node()) {
    GraphNode node{.op = proto.op_type(),
                   .inputs = {proto.input().begin(), proto.input().end()},
                   .output = proto.output(0)};
    for (const auto& a : proto.attribute()) {
      if (a.type() == onnx::AttributeProto::INTS)
        node.integers[a.name()] = {a.ints().begin(), a.ints().end()};
      if (a.type() == onnx::AttributeProto::INT) node.numbers[a.name()] = a.i();
      if (a.type() == onnx::AttributeProto::FLOAT) node.reals[a.name()] = a.f();
      if (a.type() == onnx::AttributeProto::STRING) node.texts[a.name()] = a.s();
    }
    graph.nodes.push_back(std::move(node));
  }
  return graph;
}

class Onnx : public FolderTest {};

TEST_F(Onnx, SaysWhatTheDenoiserSays) {
  for (const auto& [name, model, label] : graph_models()) {
    const std::filesystem::path folder = path("onnx");
    export_model(folder, model, "onnx");
    const Json row = read_json(folder / "model.json")["times"][1];
    const Graph graph = graph_from(read("onnx/model.onnx"));
    std::vector<int64_t> shape = model.event_shape();
    shape.insert(shape.begin(), 3);
    const Tensor x = Rng(5).normal(shape, {});
    std::map<std::string, Tensor> values = {{"x", x},
                                            {"time", at::full({3}, row["time"].get<double>(), at::kFloat)}};
    for (const char* input : {"input_scale", "state", "value", "rest", "gain"})
      if (row.contains(input)) values[input] = at::full({1}, row[input].get<double>(), at::kFloat);
    if (model.network->classes() > 0) values["label"] = label;
    if (model.network->condition_size() > 0)
      values["condition"] = condition_inputs(label, label.size(1), x.options());
    const Tensor prediction = GraphRunner(graph)(values).at("prediction");
    const Tensor expected = model.denoiser()->estimate(x, row["t"].get<double>(), label).value();
    EXPECT_LT((prediction - expected).abs().max().item<double>(), 2e-5 * expected.abs().max().item<double>())
        << name;
    std::filesystem::remove_all(folder);
  }
}

TEST_F(Onnx, SaysWhatItTakesAndGives) {
  onnx::ModelProto model;
  const Model unet = unet_models(at::tensor({0, 1, 2}, at::kLong), {})[1].model;
  ASSERT_TRUE(model.ParseFromString(encode_onnx(denoiser_graph(unet), {{"seed", "3"}})));
  EXPECT_EQ(model.opset_import(0).version(), 13);
  EXPECT_EQ(model.metadata_props(0).value(), "3");
  const auto& graph = model.graph();
  ASSERT_EQ(graph.input_size(), 6);
  EXPECT_EQ(graph.input(5).name(), "label");
  const auto& shape = graph.input(0).type().tensor_type().shape();
  EXPECT_EQ(shape.dim(0).dim_param(), "n");
  EXPECT_EQ(shape.dim(3).dim_value(), 10);
  EXPECT_EQ(graph.output(1).name(), "denoised");
}

}  // namespace
}  // namespace fokker
#else
TEST(Onnx, IsNotPartOfThisBuild) {
  GTEST_SKIP() << "FOKKER_BUILD_ONNX is off";
}
#endif
