#pragma once
#include <filesystem>

#include "fokker/data/dataset.h"
#include "fokker/format/model.h"

namespace fokker::cli {

/// Draws one row as a preview does, in vain: its errors are known before a training then.
void try_preview(const Model& model, const Dataset& training);

/// Draws a small batch from the model, given the conditions of training rows where it has any: a grid of
/// images, a scatter of points beside the data, or a scatter matrix.
void write_preview(const std::filesystem::path& file, const Model& model, const Dataset& training,
                   uint64_t seed);

}  // namespace fokker::cli
