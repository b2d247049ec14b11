#include "fokker/kernel/vector/sinusoidal_features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fokker::kernel {
namespace {

TEST(SinusoidalFeatures, AreCosinesAndSinesOfTheProducts) {
  const std::vector<float> times = {0.0f, 0.37f, -2.5f, 999.0f, 12345.0f};
  std::vector<float> frequencies;
  for (int k = 0; k < 29; ++k) frequencies.push_back(std::exp(-0.3f * static_cast<float>(k % 15)));
  frequencies[28] = 1e5;  // beyond the vectors' range with the last time
  const int64_t columns = 29, cosines = 13, n = 5;
  std::vector<float> out(n * columns), row(columns);
  sinusoidal_features(times.data(), n, frequencies.data(), columns, cosines, out.data());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < columns; ++k) {
      const double angle = times[i] * frequencies[k];
      ASSERT_NEAR(out[i * columns + k], k < cosines ? std::cos(angle) : std::sin(angle), 3e-7) << angle;
    }
    sinusoidal_features(times.data() + i, 1, frequencies.data(), columns, cosines, row.data());
    for (int64_t k = 0; k < columns; ++k) ASSERT_EQ(row[k], out[i * columns + k]);
  }
}

}  // namespace
}  // namespace fokker::kernel
