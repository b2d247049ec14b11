#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// The draws of step `step` of a run whose rows begin at `first_sample`, each of the shape and type of
/// `like`: at draw_step of `draws_per_step` in the source, which must outlive it. Argument errors, which
/// begin with the method's name: no source, more draws than a step has.
std::function<Tensor(uint32_t draw)> draws_of_step(const NoiseSource& source, const Tensor& like,
                                                   int64_t first_sample, int64_t step,
                                                   uint64_t draws_per_step, std::string method);

}  // namespace fokker
