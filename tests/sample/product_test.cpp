// Every sampler, process and grid together: refused before the work, or samples of the law of the data, or of
// a law that is known to be too narrow and said to be so (last_noise).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/sample/samplers.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

constexpr int64_t product_rows = 1000;
constexpr double true_mean = 0.8, true_deviation = 0.4;  // of gaussian_denoiser

/// How far samples are from the law, in units of its deviation: 4.5 standard errors are 0.14 of a mean and
/// 0.10 of a deviation.
struct Misfit {
  double mean = 0, deviation = 0;
  bool small() const { return mean < 0.14 && deviation < 0.1; }
  bool at_most_half(const Misfit& other) const {
    return mean < std::max(0.14, other.mean / 2) && deviation < std::max(0.1, other.deviation / 2);
  }
};

Misfit misfit(const AnalyticDenoiser& exact, const SamplerChoice& choice, const TimeGrid& grid) {
  const Tensor x = generate(exact, *choice.sampler, grid, {product_rows, 1}, Rng(7), at::kDouble).x;
  return {std::abs(x.mean().item<double>() - true_mean) / true_deviation,
          std::abs(x.std().item<double>() / true_deviation - 1)};
}

/// "" where samples on the grid are right, or where half of what is wrong goes with six times as many steps,
/// or where it is said.
std::string what_is_wrong(const std::string& sampler, const AnalyticDenoiser& exact,
                          const std::string& spacing) {
  const GaussianProcess& process = exact.process();
  const SamplerChoice choice = make_sampler(sampler, process);
  const TimeGrid grid = sampler_grid(choice, process, spacing, 40);
  const Misfit coarse = misfit(exact, choice, grid);
  if (coarse.small() || last_noise(grid, process) > 0.5 * true_deviation) return "";
  const Misfit fine = misfit(exact, choice, sampler_grid(choice, process, spacing, 240));
  return fine.at_most_half(coarse) ? "" : fmt::format("off by {:.2f} and {:.2f}", fine.mean, fine.deviation);
}

class SamplerProduct : public ::testing::TestWithParam<const char*> {};

TEST_P(SamplerProduct, ReachesTheLawOnEveryGridOrSaysNot) {
  const AnalyticDenoiser exact = gaussian_denoiser(GetParam());
  const bool chain = exact.process().schedule()->chain_steps() > 0;
  for (const std::string& sampler : sampler_names()) {
    if (is_chain(sampler) || sampler == "annealed-langevin") continue;  // 2000 evaluations on a grid
    for (const std::string& spacing : grid_names()) {
      SCOPED_TRACE(sampler + " " + spacing);
      const bool of_chain = spacing == "linspace" || spacing == "leading" || spacing == "trailing";
      const bool adaptive = make_sampler(sampler, exact.process()).sampler->adaptive();
      try {
        EXPECT_EQ(what_is_wrong(sampler, exact, spacing), "");
        EXPECT_TRUE(!adaptive && (chain || !of_chain));
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(adaptive ? "chooses its own steps"
                                                                : "expected the process of a chain"));
        EXPECT_TRUE(adaptive || (of_chain && !chain));
      }
    }
  }
}

TEST_P(SamplerProduct, ReachesTheLawAsItIsUsedUnlessToldOtherwise) {
  const AnalyticDenoiser exact = gaussian_denoiser(GetParam());
  for (const std::string& sampler : sampler_names()) {
    if (is_chain(sampler)) continue;
    SCOPED_TRACE(sampler);
    const SamplerChoice choice = make_sampler(sampler, exact.process());
    const TimeGrid grid = sampler_grid(choice, exact.process());
    const Misfit off = misfit(exact, choice, grid);
    EXPECT_LT(off.mean, 0.14);
    EXPECT_LT(off.deviation, 0.1);
    if (!choice.sampler->adaptive()) {
      EXPECT_LT(last_noise(grid, exact.process()), 0.11);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Processes, SamplerProduct,
                         ::testing::Values("vp", "vp-cosine", "vp-constant", "sub-vp", "ve",
                                           "brownian:sigma=20", "flow", "edm", "ddpm"));

}  // namespace
}  // namespace fokker
