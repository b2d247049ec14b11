#include "fokker/process/simulate.h"
#include "fokker/target/toys.h"
#include "fokker/verify/checks.h"

namespace fokker::verify {
namespace {

/// S0, Theorem 12.1 in S0's own time: dX = sigma^2 grad log p_{T-t}(X) dt + sigma dB from p_T reaches the
/// data.
void reverse_brownian(const Trial& trial, Evidence& evidence) {
  const GaussianMixture data = *as_gaussian_mixture(*make_target("two-modes"));
  const double sigma = 3.0, T = 1.0;
  const int64_t n = 20'000;
  const auto noised = [&](double t) { return data.noised(1.0, sigma * std::sqrt(t)); };
  const StateFunction score = [&](const Tensor& x, double t) {
    return trial.has("score") ? noised(t).score(x) : at::zeros_like(x);
  };
  const Sde back = reverse(brownian_motion(2, sigma), score, T);
  const Tensor start = noised(T).sample(n, trial.rng().stream("start"));
  const Tensor end =
      simulate(back, start, uniform_times(0, T, 400),
               {.method = {}, .noise = wiener_increments(trial.rng().stream("noise")), .observer = {}});
  evidence.equal("mass of the small mode", fraction_of(end.sum(1) < 0, 0.2), 0.2, 0.003);
  for (int64_t i = 0; i < 2; ++i)
    evidence.equal(fmt::format("mean of coordinate {}", i + 1), mean_of(end.select(1, i)), 3.0, 0.02);
}

}  // namespace

void add_s0_reversal(Checks& checks) {
  checks.push_back(
      {.id = "s0.reversal.brownian-d2",
       .source = "S0, Theorem 12.1",
       .statement =
           "Brownian noising of a mixture in the plane, reversed with its exact score, returns the data",
       .measure = reverse_brownian,
       .ingredients = {{"score", "the reversal runs without the score"}}});
}

}  // namespace fokker::verify
