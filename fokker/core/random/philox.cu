// Noise on a CUDA device from the same random bits as on the processor. Compiled, and not run yet: no GPU was at hand.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "fokker/core/random/philox_cuda.h"

namespace fokker {
namespace {

constexpr int threads = 256;

template <typename T>
__global__ void __launch_bounds__(threads) store_blocks(PhiloxDraw draw, T* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i < draw.blocks<T>()) store_normals(draw, i, out);
}

}  // namespace

template <typename T>
void fill_normals_cuda(const PhiloxDraw& draw, int device, T* out) {
  if (draw.count == 0) return;
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  const auto groups = static_cast<unsigned>((draw.blocks<T>() + threads - 1) / threads);
  store_blocks<T><<<groups, threads, 0, c10::cuda::getCurrentCUDAStream()>>>(draw, out);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

template void fill_normals_cuda<float>(const PhiloxDraw&, int, float*);
template void fill_normals_cuda<double>(const PhiloxDraw&, int, double*);

}  // namespace fokker
