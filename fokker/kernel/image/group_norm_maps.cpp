#include <algorithm>
#include <cmath>

#include "fokker/kernel/image/group_norm_rows.h"

namespace fokker::kernel {

template <typename T>
void affine_maps(const double* mean, const double* rstd, const T* weight, const T* bias, int64_t channels,
                 int64_t groups, const ChannelMaps<T>& maps) {
  const int64_t size = channels / groups;
  for (int64_t c = 0; c < channels; ++c) {
    const double slope = rstd[c / size] * weight[c];
    const T centre = static_cast<T>(mean[c / size]);
    maps.scale[c] = static_cast<T>(slope);
    maps.centre[c] = centre;
    maps.shift[c] = static_cast<T>(bias[c] - (mean[c / size] - centre) * slope);
  }
}

// With u = weight f' dy and z the normalised x: dx = rstd (u - mean(u) - z mean(u z)), means over the group.
template <typename T>
void input_maps(const double* mean, const double* rstd, const T* weight, const GradientSums& sums,
                int64_t pixels, int64_t channels, int64_t groups, const ChannelMaps<T>& maps, T* slope) {
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    const double off_centre = mean[g] - maps.centre[g * size];
    double mean_u = 0, mean_uz = 0;
    for (int64_t k = g * size; k < (g + 1) * size; ++k) {
      const double sum_z = (sums.shifted[k] - off_centre * sums.plain[k]) * rstd[g];
      sums.shifted[k] = sum_z;
      mean_u += weight[k] * sums.plain[k];
      mean_uz += weight[k] * sum_z;
    }
    const double count = static_cast<double>(size * pixels);
    const double steepness = -rstd[g] * rstd[g] * mean_uz / count;
    for (int64_t k = g * size; k < (g + 1) * size; ++k) {
      maps.scale[k] = static_cast<T>(rstd[g] * weight[k]);
      maps.shift[k] = static_cast<T>(-rstd[g] * mean_u / count - steepness * off_centre);
      slope[k] = static_cast<T>(steepness);
    }
  }
}

void moments_of_groups(const double* means, const double* squares, int64_t pixels, int64_t channels,
                       int64_t groups, double eps, double* mean, double* rstd) {
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double total = 0, variance = 0;
    for (int64_t c = g * size; c < (g + 1) * size; ++c) total += means[c];
    const double centre = total / static_cast<double>(size);
    // Variance = mean over channels of (variance within + (channel mean - group mean)^2).
    for (int64_t c = g * size; c < (g + 1) * size; ++c) {
      const double offset = means[c] - centre;
      variance += squares[c] / static_cast<double>(pixels) + offset * offset;
    }
    mean[g] = centre;
    // NaN stays NaN: it is the first operand.
    rstd[g] = 1 / std::sqrt(std::max(variance / static_cast<double>(size), 0.0) + eps);
  }
}

#define FOKKER_MAPS(T)                                                                                    \
  template void affine_maps(const double*, const double*, const T*, const T*, int64_t, int64_t,           \
                            const ChannelMaps<T>&);                                                       \
  template void input_maps(const double*, const double*, const T*, const GradientSums&, int64_t, int64_t, \
                           int64_t, const ChannelMaps<T>&, T*)

FOKKER_MAPS(float);
FOKKER_MAPS(double);
#undef FOKKER_MAPS

}  // namespace fokker::kernel
