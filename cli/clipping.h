#pragma once
#include <optional>

#include "fokker/denoise/guidance.h"
#include "fokker/format/model.h"

namespace fokker::cli {

/// The clipped form of a model's denoiser, or nothing where it samples as it is. A limit below 0 chooses: 1
/// for images, whose pixels lie in [-1, 1], and none for tables; 0 never clips.
std::optional<ClippedDenoiser> clipping(const Model& model, const Denoiser& denoiser, double limit = -1);

}  // namespace fokker::cli
