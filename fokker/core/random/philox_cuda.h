#pragma once
#include "fokker/core/random/philox_draw.h"

namespace fokker {

/// The normal numbers of a draw, written to memory of the CUDA device `device` on its current stream. T is
/// float or double. Built where FOKKER_CUDA is on.
template <typename T>
void fill_normals_cuda(const PhiloxDraw& draw, int device, T* out);

}  // namespace fokker
