#include "fokker/format/graph/graph.h"

#include <gmock/gmock.h>

#include "data/damage.h"
#include "fokker/data/array/npy.h"
#include "fokker/format/graph/array_export.h"
#include "fokker/format/graph/denoiser_graph.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/samplers.h"
#include "format/graph/graph_models.h"
#include "format/graph/graph_runner.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

std::map<std::string, Tensor> values_at(const Model& model, const Tensor& x, const Json& row,
                                        const Tensor& label) {
  std::map<std::string, Tensor> values = {
      {"x", x}, {"time", at::full({x.size(0)}, row["time"].get<double>(), at::kFloat)}};
  for (const char* name : {"input_scale", "state", "value", "rest", "gain"})
    if (row.contains(name)) values[name] = at::full({1}, row[name].get<double>(), at::kFloat);
  if (model.network->classes() > 0) values["label"] = label;
  if (model.network->condition_size() > 0)
    values["condition"] = condition_inputs(label, label.size(1), x.options());
  return values;
}

// The graph says at each time what the denoiser says, label for label.
TEST(DenoiserGraph, SaysWhatTheDenoiserSays) {
  for (const auto& [name, model, label] : graph_models()) {
    const Graph graph = denoiser_graph(model);
    const Json description = denoiser_description(model, 5);
    std::vector<int64_t> shape = model.event_shape();
    shape.insert(shape.begin(), 3);
    const Tensor x = Rng(5).normal(shape, {});
    for (const size_t i : {0, 2, 4}) {
      const Json& row = description["times"][i];
      const auto values = GraphRunner(graph)(values_at(model, x, row, label));
      const Estimate estimate = model.denoiser()->estimate(x, row["t"].get<double>(), label);
      const double size = estimate.value().abs().max().item<double>();
      EXPECT_LT((values.at("prediction") - estimate.value()).abs().max().item<double>(), 2e-5 * size) << name;
      const Tensor denoised = estimate.denoised();
      EXPECT_LT((values.at("denoised") - denoised).abs().max().item<double>(),
                2e-4 * (1 + denoised.abs().max().item<double>()))
          << name << " at " << row["t"];
    }
  }
}

TEST(DenoiserGraph, RefusesByNameWhatItCannotHold) {
  const auto refused = [](const Model& model) {
    return error_of([&] { denoiser_graph(model); }, ErrorKind::argument);
  };
  Model energy = mlp_model({.dimension = 2, .width = 8, .depth = 1, .energy = true}, "vp", "noise");
  energy.spec = DenoiserSpec::of_energy(energy.spec.process);
  EXPECT_THAT(refused(energy), HasSubstr("an energy is used by its gradient"));
}

class ArrayExport : public FolderTest {};

// What a reader of the two files does, step by step, is what DDIM does here.
TEST_F(ArrayExport, SamplesAsDdimDoes) {
  const Model model =
      mlp_model({.dimension = 2, .width = 16, .depth = 2, .zero_output = false}, "vp", "velocity");
  export_arrays(folder_.path(), model);
  const Json json = read_json(path("model.json"));
  const auto arrays = load_npz(path("arrays.npz"));
  Graph graph = denoiser_graph(model);
  EXPECT_EQ(graph_json(graph), json["graph"]);
  for (NamedTensor& constant : graph.constants) constant.tensor = arrays.at(constant.name);
  const Tensor start = Rng(1).normal({4, 2}, {});
  Tensor x = start;
  std::vector<double> times;
  for (size_t i = 0; i + 1 < json["times"].size(); ++i) {
    const Json &now = json["times"][i], &later = json["times"][i + 1];
    const auto values = GraphRunner(graph)(values_at(model, x, now, {}));
    const Tensor denoised = values.at("denoised");
    const Tensor noise = (x - now["alpha"].get<double>() * denoised) / now["sigma"].get<double>();
    x = later["alpha"].get<double>() * denoised + later["sigma"].get<double>() * noise;
    times.push_back(now["t"].get<double>());
  }
  times.push_back(0);
  EXPECT_EQ(times.size(), 51u);
  const SamplerChoice ddim = make_sampler("ddim", model.spec.process);
  const Integration ours = integrate(*model.denoiser(), *ddim.sampler, TimeGrid(times), start, {});
  EXPECT_LT((x - ours.x).abs().max().item<double>(), 1e-5);
  const Tensor user = at::matmul(x.to(at::kDouble), arrays.at("to_user.matrix")) + arrays.at("to_user.shift");
  EXPECT_LT((user - model.to_user(x)).abs().max().item<double>(), 1e-9);
}

}  // namespace
}  // namespace fokker
