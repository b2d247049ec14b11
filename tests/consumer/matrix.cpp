// A matrix in memory: train on its rows, draw new rows, no file.
#include <fokker/fokker.h>

#include <cstdio>
#include <random>
#include <vector>

namespace {

/// 4000 rows (temperature in Celsius, pressure in hPa), as a program may have them: 30 % at (-5, 1030), 70 %
/// at (20, 1010), each with deviations 2 and 4.
std::vector<double> measured(int64_t rows) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  std::vector<double> matrix;
  for (int64_t i = 0; i < rows; ++i) {
    const bool cold = i % 10 < 3;
    matrix.push_back((cold ? -5 : 20) + 2 * normal(engine));
    matrix.push_back((cold ? 1030 : 1010) + 4 * normal(engine));
  }
  return matrix;
}

}  // namespace

int main() try {
  using namespace fokker;
  std::vector<double> matrix = measured(4000);
  // The tensor refers to the matrix; it copies nothing.
  const Dataset data{.values = at::from_blob(matrix.data(), {4000, 2}, at::kDouble),
                     .columns = {"temperature", "pressure"}};
  const Rng rng(0);
  const Model model = train(data, {.options = {.steps = 1000}}, rng);

  const Tensor rows = sample(model, 4000, rng).values;  // (4000, 2), in Celsius and hPa

  const Tensor cold = rows.select(1, 0) < 7.5;
  const double share = cold.to(at::kDouble).mean().item<double>();
  const double pressure = rows.select(1, 1).masked_select(cold).mean().item<double>();
  std::printf("matrix: %.1f %% of the drawn rows are cold (30 %% of the data), at %.1f hPa (1030)\n",
              100 * share, pressure);
  return std::abs(share - 0.3) < 0.05 && std::abs(pressure - 1030) < 1 ? 0 : 1;
} catch (const fokker::Error& error) {
  std::fprintf(stderr, "matrix: %s\n", error.what());
  return static_cast<int>(error.kind());
}
