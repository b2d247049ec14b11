#include "cli/clipping.h"

namespace fokker::cli {

std::shared_ptr<const Denoiser> clipped(const Model& model, std::shared_ptr<const Denoiser> denoiser,
                                        double limit) {
  if (limit < 0) limit = model.is_image() ? 1.0 : 0.0;
  if (limit == 0) return denoiser;
  return std::make_shared<ClippedDenoiser>(std::move(denoiser), limit);
}

}  // namespace fokker::cli
