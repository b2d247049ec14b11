#include "fokker/sample/step/draws.h"

#include "fokker/core/check.h"

namespace fokker {

std::function<Tensor(uint32_t draw)> draws_of_step(const NoiseSource& source, const Tensor& like,
                                                   int64_t first_sample, int64_t step,
                                                   uint64_t draws_per_step, std::string method) {
  return [&source, shape = like.sizes().vec(), options = like.options(), first_sample, step, draws_per_step,
          method = std::move(method)](uint32_t draw) {
    check(source != nullptr, "{}: this sampler draws noise, but no noise source was given", method);
    check(draw < draws_per_step, "{}: expected at most {} draws of noise in a step", method, draws_per_step);
    return source(shape, {first_sample, draw_step(step, draws_per_step, draw)}).to(options);
  };
}

}  // namespace fokker
