#pragma once
#include "fokker/denoise/guidance.h"
#include "fokker/format/model.h"

namespace fokker::cli {

/// The clipped form of a model's denoiser, or the denoiser itself where it samples as it is. A limit below 0
/// chooses: 1 for images, whose pixels lie in [-1, 1], and none for tables; 0 never clips.
std::shared_ptr<const Denoiser> clipped(const Model& model, std::shared_ptr<const Denoiser> denoiser,
                                        double limit = -1);

}  // namespace fokker::cli
