// A sampler of the program's own: the midpoint method on the probability flow.
#include <fokker/fokker.h>

#include <cstdio>

using namespace fokker;

class Midpoint final : public Sampler {
 public:
  std::string name() const override { return "midpoint"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override {
    const double t = context.t, s = context.s, middle = (t + s) / 2;
    const Estimate here = denoiser.estimate(x, t);
    if (denoiser.process().sigma(s) == 0) return {here.denoised(), 1};
    const Estimate there = denoiser.estimate(x + (middle - t) * here.flow_rate(), middle);
    return {x + (s - t) * there.flow_rate(), 2};
  }
};

int main() try {
  // For data N(mean, deviation^2) the flow is known: it keeps a row's place in the law of each time.
  const double mean = 2, deviation = 0.5;
  const GaussianProcess process = VariancePreserving{};
  const AnalyticDenoiser denoiser(
      GaussianMixture::gaussian(at::full({1}, mean, at::kDouble),
                                at::full({1}, deviation * deviation, at::kDouble)),
      process);
  const double begin = 1, end = 0.01;
  const auto width = [&](double t) { return std::hypot(process.alpha(t) * deviation, process.sigma(t)); };
  const Tensor x = process.sample_prior({1000, 1}, Rng(0).noise_source(at::kDouble));
  const Tensor exact =
      process.alpha(end) * mean + (x - process.alpha(begin) * mean) * width(end) / width(begin);

  const auto error = [&](int64_t steps) {
    const TimeGrid grid = TimeGrid::uniform_log_snr(process, steps, {begin, end});
    return (integrate(denoiser, Midpoint(), grid, x).x - exact).abs().max().item<double>();
  };
  const double coarse = error(40), fine = error(80);
  std::printf("own_sampler: error %.1e in 40 steps, %.1e in 80: order %.2f (2)\n", coarse, fine,
              std::log2(coarse / fine));
  return std::abs(std::log2(coarse / fine) - 2) < 0.2 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "own_sampler: %s\n", error.what());
  return static_cast<int>(error.kind());
}
