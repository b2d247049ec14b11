#include "cli/clipping.h"

namespace fokker::cli {

std::optional<ClippedDenoiser> clipping(const Model& model, const Denoiser& denoiser, double limit) {
  if (limit < 0) limit = model.is_image() ? 1.0 : 0.0;
  if (limit == 0) return {};
  return ClippedDenoiser(denoiser, limit);
}

}  // namespace fokker::cli
