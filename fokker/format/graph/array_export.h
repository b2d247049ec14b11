#pragma once
#include <filesystem>

#include "fokker/format/model.h"

namespace fokker {

/// Writes a model for programs that have NumPy, or anything that reads its files, and nothing else:
/// arrays.npz, its weights and what is constant, and model.json, which says how to run them
/// (denoiser_description) with the operations of one call as "graph" (graph_json) and the arrays
/// "to_user.matrix" and "to_user.shift" of a table's map to the user's units. Argument error, naming it, for
/// a model that has no such form (denoiser_graph).
void export_arrays(const std::filesystem::path& folder, const Model& model);

}  // namespace fokker
