// Parts of a program's own, found by their names beside ours.
#include "fokker/objective/registry.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ancestral/ddim.h"
#include "fokker/sample/samplers.h"
#include "fokker/target/toys.h"
#include "fokker/train/train.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::Contains;

/// The squared error of the noise and of the data, at times t = u^power.
class BothErrors final : public Objective {
 public:
  explicit BothErrors(double power) : power_(power) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override {
    const Tensor u = rng.stream("time").uniform({batch.x0.size(0)}, {.step = batch.step}, at::kDouble);
    const Tensor noise = rng.stream("noise").normal(batch.x0.sizes(), {.step = batch.step});
    const Times t(u.pow(power_) * 0.99 + 0.005);
    const Estimate estimate =
        denoiser.estimate(denoiser.process().perturb(batch.x0, noise, t), t, batch.label);
    return sum_events((estimate.denoised() - batch.x0).square() + (estimate.noise() - noise).square());
  }

 private:
  double power_;
};

/// DDIM by another name.
class Plain final : public Sampler {
 public:
  std::string name() const override { return "test-plain"; }
  SamplerOrder order() const override { return {}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override {
    return {ddim_step(denoiser.estimate(x, context.t), denoiser.process(), context.s)};
  }
};

/// x <- mean + noise: exact at once for N(0, 1).
class Redraw final : public MarkovKernel {
 public:
  std::string name() const override { return "test-redraw"; }

 private:
  void do_step(const Distribution&, ChainState& state, const ChainNoise& noise) const override {
    state.x = noise(0);
  }
};

void register_parts() {
  static const bool done = [] {
    register_target(
        "test-bar",
        [](Spec& spec) -> std::unique_ptr<Distribution> {
          const double length = spec.number("length", 1, 0);
          DistributionFunctions functions;
          functions.name = "test-bar";
          functions.dimension = 1;
          functions.sample = [=](int64_t n, const Rng& rng) {
            return length * (2 * rng.uniform({n, 1}, {}, at::kDouble) - 1);
          };
          return std::make_unique<FunctionDistribution>(std::move(functions));
        },
        "uniform on a bar");
    register_objective(
        "test-both",
        [](Spec& spec, const ObjectiveRecipe&) -> ObjectiveChoice {
          return {std::make_shared<BothErrors>(spec.number("power", 1))};
        },
        "the errors of data and noise");
    register_weighting("test-late", [](Spec& spec) {
      return Weighting::user([after = spec.number("after", 0.5)](double t) { return t > after ? 1.0 : 0.0; });
    });
    register_sampler("test-plain", [](Spec& spec, const GaussianProcess&) {
      return SamplerChoice{std::make_unique<Plain>(), "log-snr", spec.integer("steps", 25, 1)};
    });
    register_grid("test-cubic", [](Spec&, const GaussianProcess&, int64_t steps, TimeRange) {
      std::vector<double> times;
      for (int64_t i = 0; i <= steps; ++i)
        times.push_back(std::pow(1 - static_cast<double>(i) / static_cast<double>(steps), 3));
      return TimeGrid(times);
    });
    register_kernel("test-redraw", [](Spec&, double) { return std::make_unique<Redraw>(); });
    return true;
  }();
  (void)done;
}

ObjectiveRecipe recipe_of(const std::string& objective, const std::string& weighting = "auto") {
  return {.objective = objective,
          .weighting = weighting,
          .times = {},
          .denoising_weighting = "uniform",
          .labels = false,
          .event_shape = {1},
          .data_law = [] { return GaussianMixture::standard_normal(1); }};
}

/// Trained on the bar by the objective.
Model trained(const ObjectiveRecipe& objective) {
  const Tensor rows = make_target("test-bar:length=2")->sample(4000, Rng(1));
  Recipe recipe{.process = VariancePreserving{}, .objective = make_objective(objective).objective};
  recipe.options.steps = 600;
  recipe.options.batch = 256;
  recipe.options.ema_decay = 0.98;
  return train({.values = rows, .columns = {"x"}, .labels = {}, .label_names = {}, .source = "bar"},
               std::move(recipe), Rng(2));
}

// The whole way by names of its own: a uniform law on (-2, 2) has mean 0, variance 4/3 and half its mass in
// (-1, 1). DDIM's own error is of the order of 1 / steps: 40 would leave 0.55 of the mass there.
TEST(OwnParts, TrainAndSampleByTheirNames) {
  register_parts();
  const Model model = trained(recipe_of("test-both:power=0.8"));
  const SamplerChoice choice = make_sampler("test-plain:steps=160", model.spec.process);
  const TimeGrid grid = sampler_grid(choice, model.spec.process);
  EXPECT_EQ(grid.steps(), 160);
  const int64_t n = 8000;
  const Tensor x = model.normalisation.invert(
      generate(*model.denoiser(), *choice.sampler, grid, {n, 1}, Rng(3)).x.to(at::kDouble));
  EXPECT_NEAR(average(x), 0, 0.08);
  EXPECT_NEAR(x.var().item<double>(), 4.0 / 3, 0.15);
  EXPECT_NEAR(average((x.abs() < 1).to(at::kDouble)), 0.5, 0.05);
}

TEST(OwnParts, AreListedBesideOurs) {
  register_parts();
  EXPECT_THAT(target_names(), Contains("test-bar"));
  EXPECT_THAT(objective_names(), Contains("test-both"));
  EXPECT_THAT(Weighting::names(), Contains("test-late"));
  EXPECT_THAT(sampler_names(), Contains("test-plain"));
  EXPECT_THAT(sampler_names(), Contains("test-redraw"));
  EXPECT_THAT(grid_names(), Contains("test-cubic"));
  EXPECT_TRUE(is_chain("test-redraw:time=1") && is_sampler("test-plain:steps=3"));
  const auto line_of = [](const std::vector<Description>& all, const std::string& name) {
    for (const Description& one : all)
      if (one.name == name) return one.summary + ": " + one.parameters;
    return std::string("none");
  };
  EXPECT_EQ(line_of(target_descriptions(), "test-bar"), "uniform on a bar: length=1");
  EXPECT_EQ(line_of(objective_descriptions(), "test-both"), "the errors of data and noise: power=1");
  EXPECT_EQ(line_of(sampler_descriptions(), "test-plain"), ": steps=25");
  EXPECT_EQ(line_of(sampler_descriptions(), "ddim"),
            "deterministic for eta = 0, ancestral for eta = 1: eta=0");
  EXPECT_EQ(line_of(sampler_descriptions(), "mala"),
            "Langevin with proposals that may be refused: exact: step=0.5, time=-1");
  EXPECT_EQ(line_of(grid_descriptions(), "karras"), "(sigma/alpha)^(1/rho) evenly: rho=7");
  EXPECT_EQ(line_of(Weighting::descriptions(), "min-snr"), "min(SNR, gamma) on the data error: gamma=5");
}

TEST(OwnParts, AreRefusedTwice) {
  register_parts();
  const auto twice = message("there is one of this name already");
  const auto target = [](Spec&) { return std::unique_ptr<Distribution>(); };
  const auto sampler = [](Spec&, const GaussianProcess&) { return SamplerChoice{std::make_unique<Plain>()}; };
  const auto kernel = [](Spec&, double) { return std::make_unique<Redraw>(); };
  for (const char* name : {"test-bar", "moons", "data"})
    EXPECT_THAT([&] { register_target(name, target); }, twice) << name;
  for (const char* name : {"test-both", "elbo"})
    EXPECT_THAT(
        [&] { register_objective(name, [](Spec&, const ObjectiveRecipe&) { return ObjectiveChoice(); }); },
        twice);
  for (const char* name : {"test-late", "edm", "auto", "none"})
    EXPECT_THAT([&] { register_weighting(name, [](Spec&) { return Weighting::uniform(); }); }, twice) << name;
  for (const char* name : {"test-plain", "ddim", "ula", "test-redraw"}) {
    EXPECT_THAT([&] { register_sampler(name, sampler); }, twice) << name;
    EXPECT_THAT([&] { register_kernel(name, kernel); }, twice) << name;
  }
  EXPECT_THAT([] { register_grid("karras", nullptr); }, message("expected a function"));
}

// A weighting of its own with our objective: only what it weighs is learned from.
TEST(OwnParts, WeighOurObjectives) {
  register_parts();
  const ObjectiveChoice choice = make_objective(recipe_of("denoising", "test-late:after=0.6"));
  EXPECT_EQ(choice.weighting, "test-late:after=0.6");
  const FunctionDenoiser zero([](const Tensor& x, const Times&) { return at::zeros_like(x); },
                              VariancePreserving{}, Prediction::noise());
  const Batch batch{.x0 = at::zeros({1000, 1}, at::kDouble), .label = {}};
  const double weighed = average((choice.objective->loss(zero, batch, Rng(4)) > 0).to(at::kDouble));
  EXPECT_NEAR(weighed, 0.4, 0.01) << "the share of uniform times above 0.6";
  EXPECT_THAT([] { make_objective(recipe_of("test-both", "test-late")); }, message("has its own weights"));
  EXPECT_THAT([] { Weighting::from_name("test-late:before=1"); }, message("it has: after"));
}

TEST(OwnParts, SetTimesAndRunChains) {
  register_parts();
  const GaussianProcess vp{VariancePreserving{}};
  EXPECT_EQ(make_grid("test-cubic", vp, 2).times()[1], 0.125);
  const SamplerChoice choice = make_sampler("ddim", vp);
  EXPECT_EQ(sampler_grid(choice, vp, "test-cubic", 4).times()[1], std::pow(0.75, 3));
  const KernelChoice kernel = make_kernel("test-redraw:time=0.3");
  EXPECT_EQ(kernel.time, 0.3);
  const GaussianMixture law = GaussianMixture::standard_normal(1);
  const Tensor x = run_chain(*kernel.kernel, law, at::full({4000, 1}, 9.0), Rng(5).noise_source(),
                             {.steps = 1, .observers = {}})
                       .x;
  EXPECT_NEAR(average(x), 0, four_errors(x));
  EXPECT_THAT([] { make_kernel("test-redraw:time=2"); }, message("a time in [0, 1]"));
  EXPECT_THAT([&] { make_sampler("test-redraw", vp); }, message("a Markov chain on one law"));
  const SamplerChoice annealed = make_sampler("annealed-langevin:levels=5", vp);
  EXPECT_THAT([&] { sampler_grid(annealed, vp, "", 9); }, message("expected levels or a number of steps"));
  EXPECT_THAT([&] { sampler_grid(make_sampler("dopri5", vp), vp, "karras"); }, message("its own steps"));
}

}  // namespace
}  // namespace fokker
