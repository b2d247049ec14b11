#pragma once
#include "fokker/format/graph/graph.h"
#include "fokker/format/model.h"

namespace fokker {

/// One call of a model's denoiser at one time: inputs "x" (n, event...), in the model's space, "time" (n),
/// what the network is told of it, "input_scale", "state" and "value" (1), and where the model has classes
/// "label" (n), int64 from 0 on and -1 for any, or where it is conditioned on k numbers "condition" (n, k +
/// 1): the numbers and 0, or zeros and 1 for none; beside a regression on it also "rest" and "gain" (1).
/// Outputs "prediction" = network(input_scale x, time) and "denoised" = state x + value prediction, which is
/// E[x_0 | x_t]. The numbers depend on the time alone (time_rows). Argument error, naming it, for a model
/// that has none: of a table with a schema, an energy, or a network of your own.
Graph denoiser_graph(const Model& model);

/// What a program needs beside the graph of a model to sample it: JSON {"format", "fokker_version",
/// "event_shape", "columns", "label_names", "condition_columns", "needs_label" (no row may be without),
/// "process", "prediction", "clip", "times": [{"t", "alpha", "sigma", "time", "input_scale", "state",
/// "value"}, ...]}, and where it has them "rest" and "gain", the times of `steps` steps of DDIM from noise to
/// data.
Json denoiser_description(const Model& model, int64_t steps = 50);

/// The affine map of a table's model space to the user's units, rows of float64: x matrix + shift.
struct UserMap {
  Tensor matrix, shift;  ///< (d, d), (d)
};
UserMap user_map(const Model& model);

}  // namespace fokker
