#include "fokker/format/graph/denoiser_graph.h"

#include "fokker/core/check.h"
#include "fokker/core/version.h"
#include "fokker/format/graph/network_graph.h"
#include "fokker/sample/samplers.h"

namespace fokker {
namespace {

void check_expressible(const Model& model) {
  check(!model.table,
        "export: a table with a schema has levels beside numbers, which this format does not hold");
  check(!model.spec.is_energy(),
        "export: an energy is used by its gradient, which this format does not hold");
}

Json time_row(const Model& model, double t) {
  const DenoiserSpec& spec = model.spec;
  const GaussianProcess& process = spec.process;
  const Tensor one = at::ones({1, 1}, at::kDouble);
  const Conversion conversion = spec.prediction.to_denoised(process.schedule().model(), t);
  const double scale = spec.scale_input ? input_scale(spec, one, t).item<double>() : 1.0;
  Json row = {{"t", t},
              {"alpha", process.alpha(t)},
              {"sigma", process.sigma(t)},
              {"time", network_time(spec.time_input, process, t, one).item<double>()},
              {"input_scale", scale},
              {"state", conversion.state},
              {"value", conversion.value}};
  if (model.condition.regression.defined()) {
    row["rest"] = -process.alpha(t);
    row["gain"] = spec.prediction.target(process.schedule().model(), t).data;
  }
  return row;
}

/// B c of the condition's inputs (n, k + 1), of which the last says that there is none (RegressedDenoiser).
GraphBuilder::Name add_regression(GraphBuilder& graph, const Tensor& coefficients,
                                  const GraphBuilder::Name& condition) {
  const Tensor none = at::zeros({coefficients.size(0), 1}, coefficients.options());
  const Tensor matrix = at::cat({coefficients, none}, 1).t().contiguous();
  return graph.add_node("MatMul", {condition, graph.constant("regression", matrix)});
}

}  // namespace

Graph denoiser_graph(const Model& model) {
  check_expressible(model);
  const Network& network = *model.network;
  std::vector<int64_t> rows = model.event_shape();
  rows.insert(rows.begin(), -1);
  GraphBuilder graph;
  const auto x = graph.input("x", at::kFloat, rows);
  NetworkInputs inputs{.x = x, .time = graph.input("time", at::kFloat, {-1}), .label = {}};
  const auto scale = graph.input("input_scale", at::kFloat, {1});
  const auto state = graph.input("state", at::kFloat, {1}), value = graph.input("value", at::kFloat, {1});
  if (network.classes() > 0) inputs.label = graph.input("label", at::kLong, {-1});
  if (network.condition_size() > 0)
    inputs.label = graph.input("condition", at::kFloat, {-1, network.condition_size() + 1});
  const Tensor& regression = model.condition.regression;
  const GraphBuilder::Name mean =
      regression.defined() ? add_regression(graph, regression, inputs.label) : GraphBuilder::Name();
  const auto add_mean = [&](const GraphBuilder::Name& to, const char* factor) {
    if (mean.empty()) return to;
    return graph.add(to, graph.multiply(mean, graph.input(factor, at::kFloat, {1})));
  };
  inputs.x = graph.multiply(add_mean(x, "rest"), scale);
  const auto prediction = add_mean(add_network(graph, network, inputs), "gain");
  graph.output("prediction", prediction, rows);
  graph.output("denoised", graph.add(graph.multiply(x, state), graph.multiply(prediction, value)), rows);
  return graph.take();
}

Json denoiser_description(const Model& model, int64_t steps) {
  check_expressible(model);
  const GaussianProcess& process = model.spec.process;
  const SamplerChoice ddim = make_sampler("ddim", process);
  const int64_t chain = process.schedule()->chain_steps();
  const TimeGrid grid = sampler_grid(ddim, process, "", chain > 0 ? std::min(steps, chain) : steps);
  Json times = Json::array();
  for (const double t : grid.times())
    if (t > 0 || process.sigma(t) > 0) times.push_back(time_row(model, t));
  // The last step ends at the denoised estimate, also where the process is noisy at t = 0 (integrate).
  times.push_back({{"t", 0.0}, {"alpha", 1.0}, {"sigma", 0.0}});
  Json json = {{"format", "fokker-graph 1"},
               {"fokker_version", library_version()},
               {"event_shape", model.event_shape()},
               {"columns", model.columns},
               {"label_names", model.label_names},
               {"condition_columns", model.condition.columns},
               {"needs_label", !model.network->knows_no_label()},
               {"process", schedule_config(process.schedule())},
               {"prediction", model.spec.name()},
               {"normalisation", model.normalisation.to_json()},
               {"times", std::move(times)}};
  if (model.is_image()) json["clip"] = 1.0;
  return json;
}

UserMap user_map(const Model& model) {
  const int64_t d = model.normalisation.dimension();
  const Tensor shift = model.normalisation.invert(at::zeros({1, d}, at::kDouble));
  return {model.normalisation.invert(at::eye(d, at::kDouble)) - shift, shift.squeeze(0)};
}

}  // namespace fokker
