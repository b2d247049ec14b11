#pragma once
#include <cstdint>

namespace fokker::kernel {

/// Sines and cosines of times, the features that networks see: out (n, columns) is
/// cos(times[i] frequencies[k]) for the first `cosines` columns and the sine for the others, in float32
/// within 3e-7 of the function of the rounded product. A row's numbers do not depend on the other rows.
void sinusoidal_features(const float* times, int64_t n, const float* frequencies, int64_t columns,
                         int64_t cosines, float* out);

}  // namespace fokker::kernel
