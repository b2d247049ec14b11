#include <cmath>

#include "fokker/kernel/mixture/mixture_softmax.h"

namespace fokker::kernel {

CentredMeans::CentredMeans(const Tensor& all_means, const Tensor& logarithms)
    : means(all_means), log_weights(logarithms) {
  // Centring costs a second copy of the means, so it is done only where it gains accuracy.
  const Tensor middle = means.mean(0);
  const double spread = means.size(0) > 1 ? means.std(0, false).norm().item<double>() : 0;
  const bool far = middle.norm().item<double>() > 8 * spread;
  centre = far ? middle : at::zeros_like(middle);
  offsets = far ? means - middle : means;
  half_norms = at::empty({means.size(0)}, means.options());
  const int64_t block = std::max<int64_t>(1, (int64_t{1} << 22) / means.size(1));
  for (int64_t begin = 0; begin < means.size(0); begin += block)
    half_norms.slice(0, begin, begin + block)
        .copy_(offsets.slice(0, begin, begin + block).square().sum(1).mul_(0.5));
  largest_norm = std::sqrt(2 * half_norms.max().item<double>());
}

CentredMeans CentredMeans::slice(int64_t begin, int64_t end) const {
  CentredMeans result = *this;
  for (Tensor* tensor : {&result.means, &result.log_weights, &result.offsets, &result.half_norms})
    *tensor = tensor->slice(0, begin, end);
  return result;
}

CentredMeans CentredMeans::to(at::Device device) const {
  CentredMeans result = *this;
  for (Tensor* tensor :
       {&result.means, &result.log_weights, &result.centre, &result.offsets, &result.half_norms})
    if (tensor->defined()) *tensor = tensor->to(device);
  return result;
}

}  // namespace fokker::kernel
