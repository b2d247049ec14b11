#include "fokker/condition/posterior_sampler.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "condition/gaussian_case.h"
#include "fokker/condition/method/ddnm.h"
#include "fokker/core/random/rng.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {
namespace {

PosteriorSamples run_method(const std::string& method, const Denoiser& denoiser, const Measurement& seen,
                            const PosteriorOptions& options, int64_t steps = 8) {
  return make_posterior_sampler(method)->sample(denoiser, seen, posterior_grid(denoiser.process(), steps),
                                                options);
}

const std::vector<std::string> short_methods = {
    "replacement:resample=2", "ddnm", "dps:step=0.1", "pigdm", "mmps", "tds", "gibbs:iterations=3"};

std::shared_ptr<const Measurement> rows_from(const Measurement& seen, int64_t first, int64_t count) {
  return seen.select(at::arange(first, first + count, at::kLong));
}

// What is drawn depends on the seed and the place alone.
TEST(PosteriorSampler, DoesNotDependOnHowRowsAreDivided) {
  GaussianCase of;
  of.noise = 0.4;
  const AnalyticDenoiser denoiser = of.denoiser();
  const LinearMeasurement seen = of.measurement();
  for (const std::string& method : short_methods) {
    PosteriorOptions options{.draws = 6, .rng = Rng(4), .type = at::kDouble};
    const PosteriorSamples whole = run_method(method, denoiser, seen, options);
    EXPECT_TRUE(method == "tds" || (at::pdist(whole.x.flatten(0, 1)) > 1e-3).all().item<bool>()) << method;
    options.block = 5;
    EXPECT_LT(worst(run_method(method, denoiser, seen, options).x, whole.x), 1e-10) << method;
    const int threads = at::get_num_threads();
    at::set_num_threads(threads == 1 ? 2 : 1);
    EXPECT_LT(worst(run_method(method, denoiser, seen, options).x, whole.x), 1e-10) << method;
    at::set_num_threads(threads);
    options.first_row = 1;
    const PosteriorSamples second = run_method(method, denoiser, *rows_from(seen, 1, 1), options);
    EXPECT_LT(worst(second.x[0], whole.x[1]), 1e-10) << method;
    EXPECT_LT(worst(second.log_weights[0], whole.log_weights[1]), 1e-10) << method;
    options.rng = Rng(5);
    EXPECT_GT(worst(run_method(method, denoiser, *rows_from(seen, 1, 1), options).x[0], whole.x[1]), 1e-2)
        << method;
  }
}

/// A small network that is not symmetric in anything, each weight moved up or down by a part `moved` of
/// itself.
std::shared_ptr<Network> some_network(const std::vector<int64_t>& event, double moved = 0) {
  std::shared_ptr<Network> network;
  if (event.size() == 3)
    network = std::make_shared<UNet>(UNetOptions{.sample_height = 8,
                                                 .sample_width = 8,
                                                 .in_channels = 1,
                                                 .out_channels = 1,
                                                 .block_out_channels = {8, 8},
                                                 .down_attention = {false, false},
                                                 .layers_per_block = 1,
                                                 .norm_num_groups = 4,
                                                 .num_class_embeds = 4},
                                     3);
  else
    network =
        std::make_shared<Mlp>(MlpOptions{.dimension = event[0], .width = 16, .depth = 2, .classes = 3}, 3);
  const GradientMode off(false);
  uint64_t place = 0;
  for (const auto& p : network->parameters()) {
    const Rng rng = Rng(3).stream(place++);
    const Tensor way = rng.stream("way").uniform(p.tensor.sizes()).gt(0.5) * 2 - 1;
    p.tensor.copy_((rng.uniform(p.tensor.sizes()) * 0.2 - 0.1) * (1 + moved * way));
  }
  return network;
}

/// The largest part of itself that rounding moves a weight by in effect: a sum of n products is that of
/// factors off by n eps / 2 at the most (Higham 2002, section 3.1), and the largest sums here have 16
/// channels of 3 x 3. Two runs differ by twice that.
constexpr double rounding_of_weights = 144 * std::numeric_limits<float>::epsilon();
/// Of a state in the arithmetic of four steps, of fewer than 16 operations each.
constexpr double rounding_of_states = 64 * std::numeric_limits<float>::epsilon();

// A network's derivative is no covariance, and its rounding depends on the rows that go through it together.
// No method amplifies it: draws move by at most 500 times the part that weights, or starts, are moved by, and
// differ among divisions into blocks by no more than this makes of rounding.
TEST(PosteriorSampler, TakesLearnedDenoisers) {
  for (const std::vector<int64_t>& event : {std::vector<int64_t>{3}, std::vector<int64_t>{1, 8, 8}}) {
    const DenoiserSpec spec{.process = VariancePreserving{}, .prediction = Prediction::velocity()};
    const double moved = 1e-4;
    const LearnedDenoiser denoiser(some_network(event), spec), other(some_network(event, moved), spec);
    Tensor seen_mask = at::ones(event, at::kBool);
    seen_mask.flatten().slice(0, 0, seen_mask.numel() / 2).fill_(false);
    const auto a = std::make_shared<MaskOperator>(seen_mask);
    const Tensor y = Rng(7).normal({2, a->measured()}, {}, at::kDouble);
    const LinearMeasurement seen(a, y, 0.3);
    std::vector<int64_t> all{2, 3};
    all.insert(all.end(), event.begin(), event.end());
    const Tensor start = Rng(6).normal(all), away = start * (1 + moved * Rng(8).uniform(all).sub(0.5).sign());
    for (const std::string& method : short_methods) {
      PosteriorOptions options{
          .draws = 3, .rng = Rng(4), .start = start, .labels = at::tensor({2, 0}, at::kLong)};
      const auto draw = [&](const LearnedDenoiser& by) { return run_method(method, by, seen, options, 4).x; };
      const Tensor whole = draw(denoiser);
      EXPECT_EQ(whole.scalar_type(), at::kFloat);
      EXPECT_TRUE(whole.isfinite().all().item<bool>()) << method;
      const double by_weights = worst(draw(other), whole) / moved;
      options.start = away;
      const double by_start = worst(draw(denoiser), whole) / moved;
      options.start = start;
      EXPECT_LT(std::max(by_weights, by_start), 500) << method << " " << event.size();
      options.block = 2;
      EXPECT_LT(worst(draw(denoiser), whole),
                by_weights * rounding_of_weights +
                    (by_start + whole.abs().max().item<double>()) * rounding_of_states)
          << method << " " << event.size() << ": " << by_weights << " " << by_start;
      options.labels = Tensor();
      EXPECT_GT(worst(draw(denoiser), whole), 1e-4) << method << ": it has classes";
    }
  }
}

// Krylov methods pass back through one graph many times: products with J^T through each network are
// those of differences, the first and the third alike.
TEST(PosteriorSampler, PassesBackThroughANetworkRepeatedly) {
  for (const std::vector<int64_t>& event : {std::vector<int64_t>{3}, std::vector<int64_t>{1, 8, 8}}) {
    const LearnedDenoiser denoiser(some_network(event),
                                   {.process = VariancePreserving{}, .prediction = Prediction::velocity()});
    std::vector<int64_t> batch{5};
    batch.insert(batch.end(), event.begin(), event.end());
    const Tensor x = Rng(1).normal(batch), v = Rng(2).normal(batch), u = Rng(3).normal(batch);
    const GradientMode on(true);
    const Tensor leaf = x.clone().requires_grad_();
    const Tensor denoised = denoiser.estimate(leaf, 0.4).denoised();
    const Tensor first = vector_jacobian_product(denoised, leaf, v, true);
    vector_jacobian_product(denoised, leaf, u, true);
    EXPECT_LT(worst(vector_jacobian_product(denoised, leaf, v, false), first), 1e-6);
    const GradientMode off(false);
    const double h = 1e-2;
    const Tensor difference =
        (denoiser.estimate(x + h * u, 0.4).denoised() - denoiser.estimate(x - h * u, 0.4).denoised()) /
        (2 * h);
    const double by_v = (difference * v).sum().item<double>(), by_u = (first * u).sum().item<double>();
    EXPECT_NEAR(by_v, by_u, 1e-2 * (difference.norm() * v.norm()).item<double>()) << event.size();
  }
}

TEST(PosteriorSampler, SamplesWithoutWeightsKeepTheirPlaces) {
  GaussianCase of;
  const PosteriorSamples found =
      run_method("ddnm", of.denoiser(), of.measurement(), {.draws = 4, .type = at::kDouble});
  EXPECT_EQ(found.x.sizes(), IntArrayRef({2, 4, 3}));
  EXPECT_LT(worst(found.ess, vector_of({4, 4})), 1e-12);
  EXPECT_TRUE(at::equal(equally_weighted(found, 4, Rng(1)), found.x));
  PosteriorSamples weighted = found;
  weighted.log_weights = vector_of({0, 1, 0, 0, 0.5, 0, 0.5, 0}).log().reshape({2, 4});
  const Tensor picked = equally_weighted(weighted, 2, Rng(1));
  EXPECT_TRUE(at::equal(picked[0], found.x[0].slice(0, 1, 2).expand({2, 3})));
  EXPECT_TRUE(at::equal(picked[1], at::stack({found.x[1][0], found.x[1][2]})));
}

TEST(PosteriorSampler, RefusesBeforeAnyWork) {
  GaussianCase of;
  of.noise = 0.4;
  const FunctionDenoiser never([](const Tensor&, const Times&) -> Tensor { throw std::logic_error("work"); },
                               of.process, Prediction::data());
  const LinearMeasurement seen = of.measurement();
  const FunctionMeasurement function([](const Tensor& x) { return x; }, {3}, at::ones({1, 3}, at::kDouble),
                                     1);
  for (const char* method : {"replacement", "ddnm", "pigdm", "mmps", "gibbs"})
    EXPECT_THAT([&] { run_method(method, never, function, {}); }, message("expected a linear measurement"));
  EXPECT_THAT([&] { run_method("ddnm", never, seen, {.draws = 0}); }, message("ddnm: expected draws > 0"));
  EXPECT_THAT([&] { run_method("ddnm", never, seen, {.labels = at::ones({3}, at::kLong)}); },
              message("expected 2 labels"));
  const auto ddnm = make_posterior_sampler("ddnm"), mmps = make_posterior_sampler("mmps");
  EXPECT_THAT([&] { ddnm->sample(never, seen, TimeGrid({0.9, 0.1})); }, message("data at t = 0"));
  const FunctionDenoiser flow([](const Tensor&, const Times&) -> Tensor { throw std::logic_error("work"); },
                              Flow{}, Prediction::data());
  EXPECT_THAT([&] { mmps->sample(flow, seen, TimeGrid({1.0, 0.0})); }, message("begins where alpha > 0"));
  EXPECT_THAT([&] { make_posterior_sampler("dsp"); },
              message("unknown posterior sampler 'dsp'; valid names: replacement"));
  EXPECT_THAT([&] { make_posterior_sampler("dps:size=2"); }, message("unknown parameter 'size'"));
  EXPECT_THAT([&] { make_posterior_sampler("dps:step=0"); }, message("expected step > 0"));
}

// A step that is too large says so, with the row.
TEST(PosteriorSampler, SaysWhereItDiverges) {
  GaussianCase of;
  EXPECT_THAT(
      [&] {
        run_method("dps:step=1e30,form=squared", of.denoiser(), of.measurement(), {.type = at::kDouble}, 50);
      },
      message("row 0 (from 0): a sample left the range of numbers"));
}

// Data far from 0 beside little noise: from the law of x_t itself a chain ends where the posterior is (but
// for what y says of x_t at its start, here V (V + 1)^-1 (m - E[x_0 | y]), 0.03 deviations); from centred
// noise it is 2.2 deviations off. 400 draws: five standard errors of a mean are 0.25, and 0.1 is left to the
// chain's steps.
TEST(PosteriorSampler, StartsFromTheLawOfItsFirstTime) {
  GaussianCase of;
  of.mean = vector_of({6, -4, 2});
  of.y = rows_of({{4.5, -6.5}, {4.1, -5.9}});
  of.noise = 0.4;
  of.process = GaussianProcess(make_schedule("brownian:sigma=1"));
  const AnalyticDenoiser denoiser = of.denoiser();
  const TimeGrid grid = posterior_grid(of.process, 40);
  PosteriorOptions options{.draws = 400, .rng = Rng(4), .type = at::kDouble};
  const auto off = [&](const std::string& method) {
    const Tensor x = make_posterior_sampler(method)->sample(denoiser, of.measurement(), grid, options).x;
    const GaussianMixture exact = exact_posterior(of.prior(), of.measurement(), 1);
    return ((x[1].mean(0) - exact.mean()) / exact.covariance().diagonal().sqrt()).abs().max().item<double>();
  };
  for (const char* method : {"mmps", "gibbs"}) {
    options.start = Tensor();
    const double centred = off(method);
    options.start = denoiser.marginal(1).sample(800, Rng(1)).reshape({2, 400, 3});
    EXPECT_LT(off(method), 0.25 + 0.1) << method;
    EXPECT_TRUE(centred > 1 || std::string(method) != "mmps") << method << " " << centred;
  }
  options.start = at::zeros({2, 3}, at::kDouble);
  EXPECT_THAT([&] { off("mmps"); },
              message("mmps: expected a start of shape (2, 400, 3) but received (2, 3)"));
}

/// Data of unit variance whatever x is: a method of one's own that draws from the prior and forgets y.
class Forgetful final : public PosteriorSampler {
 public:
  std::string name() const override { return "forgetful"; }

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override {
    return {.x = block.start, .log_weights = {}};
  }
};

TEST(PosteriorSampler, TakesOnesOwn) {
  register_posterior_sampler("forgetful", [](Spec&) { return std::make_unique<Forgetful>(); });
  GaussianCase of;
  EXPECT_EQ(run_method("forgetful", of.denoiser(), of.measurement(), {.draws = 2}).x.sizes(),
            IntArrayRef({2, 2, 3}));
  EXPECT_THAT(
      [&] { register_posterior_sampler("ddnm", [](Spec&) { return std::make_unique<Forgetful>(); }); },
      message("there is one of this name already"));
}

}  // namespace
}  // namespace fokker
