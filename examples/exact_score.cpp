// The exact denoiser of a mixture against its own samples: what a perfectly trained network would do.
#include <fokker/fokker.h>

int main() {
  using namespace fokker;
  const auto target = make_target("two-modes");
  const GaussianProcess process = VariancePreserving{};
  const AnalyticDenoiser denoiser(*as_gaussian_mixture(*target), process);
  const Tensor samples =
      generate(denoiser, EulerMaruyama(), TimeGrid::uniform(500), {10'000, 2}, Rng(1), at::kDouble).x;
  const ModeStatistics modes = mode_weights(samples, denoiser.target());
  const double weight = modes.weights[0].item<double>();
  fmt::print("weight of the small mode: {:.4f}, exact 0.2\n", weight);
  return std::abs(weight - 0.2) < 0.02 ? 0 : 1;
}
