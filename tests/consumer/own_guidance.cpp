// A guidance term of the program's own, as a lambda: samples of a trained model given an observation.
#include <fokker/fokker.h>

#include <cstdio>

using namespace fokker;

int main() try {
  const Rng rng(0);
  const Model model = train({.values = rng.normal({4000, 1}, {}, at::kDouble), .columns = {"x"}},
                            {.options = {.steps = 1000}}, rng);

  // Observed: y = x + error of deviation 0.5. The score of the rows given y is that of the model plus the
  // gradient of log p_t(y | x_t), which for data N(0, 1) is known: y given x_t is N(alpha x_t, sigma^2 +
  // 0.5^2).
  const double y = 2, variance = 0.25;
  const GaussianProcess& process = model.spec.process;
  const ScoreTerm term = [&](const Tensor& x, const Times& t, const Estimate&) {
    const Tensor alpha = t.map([&](double u) { return process.alpha(u); }, x);
    const Tensor sigma = t.map([&](double u) { return process.sigma(u); }, x);
    return alpha * (y - alpha * x) / (sigma * sigma + variance);
  };
  const ScoreGuidedDenoiser guided(model.denoiser(), term);

  const Tensor drawn = generate(guided, Heun(), TimeGrid::uniform_log_snr(process, 30), {4000, 1}, rng).x;
  const Tensor rows = model.normalisation.invert(drawn);
  const double mean = rows.mean().item<double>(), deviation = rows.std().item<double>();
  std::printf("own_guidance: N(%.3f, %.3f^2) drawn given y = 2; Bayes' rule says N(1.600, 0.447^2)\n", mean,
              deviation);
  return std::abs(mean - 1.6) < 0.06 && std::abs(deviation - 0.447) < 0.04 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "own_guidance: %s\n", error.what());
  return static_cast<int>(error.kind());
}
