// Checks on a reader's own problem: fokker verify ID --set KEY=VALUE,...
#include "fokker/course/problem/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fokker/core/check.h"
#include "fokker/course/gallery/gallery.h"
#include "fokker/course/verify/suite.h"

namespace fokker::verify {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class SettingsFiles : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder() = fs::temp_directory_path() / ("fokker-settings-" + std::to_string(::getpid()));
    fs::create_directories(folder());
    // Three modes of unequal width; a narrow one inside a wide one; two far apart.
    write("three.json",
          R"("weights": [0.05, 0.55, 0.4], "means": [[-4], [0.5], [3.2]], "covariances": [0.09, 1.2, 0.3])");
    write("inside.json", R"("weights": [0.4, 0.6], "means": [[0.6], [0]], "covariances": [0.06, 4])");
    write("apart.json", R"("weights": [0.3, 0.7], "means": [[-5], [4]], "covariances": [0.25, 1])");
    write("gentle.json", R"("weights": [0.4, 0.6], "means": [[-1], [1.2]], "covariances": [0.2, 0.5])");
    write("plane.json", R"("weights": [0.2, 0.5, 0.3], "means": [[-2, 1], [0.5, -1], [2, 1.5]],
                           "covariances": [[[0.6, 0.4], [0.4, 0.5]], 0.2, [0.15, 0.9]])");
    std::ofstream(folder() / "betas.csv") << "beta\n0.02\n0.05\n0.1, 0.2\n0.3\n0.25\n";
    std::ofstream(folder() / "wrong.csv") << "0.02\n1.5\n";
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static std::string file(const std::string& name) { return (folder() / name).string(); }
  static void write(const std::string& name, const std::string& mixture) {
    std::ofstream(folder() / name) << "{\"type\": \"gaussian_mixture\", " << mixture << "}";
  }
  static Outcome outcome(const std::string& id, const std::string& set, const std::string& without = "") {
    return run(select({id}), {.without = without, .set = {set}}).front();
  }
  static void expect_pass(const std::string& id, const std::string& set) {
    const Outcome result = outcome(id, set);
    EXPECT_TRUE(result.passed()) << id << " " << set << ": " << result.error << result.worst.what << " is "
                                 << result.worst.measured << " for " << result.worst.expected << " ± "
                                 << result.worst.tolerance;
    for (const Ingredient& ingredient : select({id}).front()->ingredients)
      EXPECT_FALSE(outcome(id, set, ingredient.name).passed())
          << id << " " << set << " without " << ingredient.name;
  }
};

class OnALine : public SettingsFiles, public testing::WithParamInterface<const char*> {};

/// The statement holds for laws that it was not written for, and its controls still fail.
TEST_P(OnALine, HoldsOnOddMixtures) {
  for (const char* law : {"three.json", "inside.json", "apart.json"})
    expect_pass(GetParam(), "target=" + file(law));
}

INSTANTIATE_TEST_SUITE_P(Checks, OnALine,
                         testing::Values("s3.learning.bayes-noise", "s3.learning.mean-direction",
                                         "s3.autoencoder.steps", "s3.autoencoder.small-noise",
                                         "s2.denoising.small-noise", "s2.background.implicit-model",
                                         "s3.chain.end", "s0.learning.constant",
                                         "s0.learning.fisher-identity", "s1.posterior.optimal-mean",
                                         "s2.denoising.stein", "s2.denoising.constant",
                                         "s2.implicit.constant", "s3.score.mixture-general",
                                         "s3.tweedie.mixture", "s3.tweedie.family-normal"));

/// A check and how many draws show the control's fault.
using FewDraws = std::pair<const char*, const char*>;
class Sampled : public SettingsFiles, public testing::WithParamInterface<FewDraws> {};

TEST_P(Sampled, HoldsOnAnOddMixture) {
  const auto [id, draws] = GetParam();
  const bool narrow_mode_matters = std::string(id) == "s2.langevin.mala";  // it has 5 % of the other mixture
  expect_pass(id, "target=" + file(narrow_mode_matters ? "apart.json" : "three.json") + draws);
}

INSTANTIATE_TEST_SUITE_P(
    Checks, Sampled,
    testing::Values(FewDraws{"s0.reversal.brownian-d1", ",n=4000,steps=100"},
                    FewDraws{"s0.reversal.joint-law", ",n=4000,steps=100"},
                    FewDraws{"s0.learning.empirical-loss", ""}, FewDraws{"s0.learning.minimiser", ""},
                    FewDraws{"s1.objective.minimiser-simple", ",n=30000"},
                    FewDraws{"s1.posterior.reverse-kernel-line", ",n=8000"}, FewDraws{"s2.langevin.mala", ""},
                    FewDraws{"s3.chain.fixed-factor", ",n=10000"},
                    FewDraws{"s3.autoencoder.optimal", ",n=20000"}, FewDraws{"s3.flow.brownian", ""},
                    FewDraws{"s0.langevin.joint-law", ",n=10000"},
                    FewDraws{"s2.langevin.underdamped", ",n=10000"}, FewDraws{"s3.flow.log-likelihood", ""}));

TEST_F(SettingsFiles, HoldInThePlane) {
  for (const char* id : {"s0.langevin.drift", "s2.implicit.constant", "s1.posterior.reverse-kernel-plane",
                         "s0.learning.constant", "s2.implicit.empirical", "s0.langevin.reversible-plane",
                         "s3.flow.marginals-plane"})
    expect_pass(id, "target=" + file("plane.json"));
}

TEST_F(SettingsFiles, NumbersAndTablesMatter) {
  expect_pass("s0.linear.law", "sigma=1.3");
  expect_pass("s2.langevin.ula-variance", "mean=-2,variance=0.3,n=20000");
  expect_pass("s1.posterior.bayes-linear", "table=" + file("betas.csv") + ",x0=-1.5,xt=2");
  expect_pass("s1.chain.transition-cosine", "table=linear:steps=30,first=0.01,last=0.4");
  expect_pass("s1.sampling.normal-beta", "mean=2,variance=3,table=" + file("betas.csv") + ",n=20000");
  expect_pass("s3.score.mixture-full-d2", "dims=5,components=4");
  expect_pass("s0.reversal.brownian-d16", "dims=4,n=2000,steps=60");
  expect_pass("s1.chain.ornstein-uhlenbeck", "table=" + file("betas.csv"));
  expect_pass("s3.chain.varying-factor", "table=" + file("betas.csv"));
  expect_pass("s3.chain.unrolled-varying", "table=" + file("betas.csv"));
  expect_pass("s3.elbo.path-divergence", "variance=0.4");
  expect_pass("guidance.cfg.normal", "mean=-1,variance=0.5");
  for (const char* id :
       {"s1.objective.path-likelihood", "s1.objective.terms-path", "s1.objective.terms-mean",
        "s1.objective.terms-weighted", "s1.objective.terms-simple", "s1.objective.marginalisation",
        "s3.elbo.terms", "s3.elbo.decomposition", "s3.elbo.below-likelihood"})
    expect_pass(id, "variance=0.6,n=20000,table=" + file("betas.csv"));
  for (const char* id : {"s1.objective.weights", "s3.elbo.posterior", "s3.elbo.squared-distance"})
    expect_pass(id, "table=" + file("betas.csv"));
  expect_pass("s1.sampling.one-step", "n=20000,table=" + file("betas.csv"));
  expect_pass("s1.chain.prior-ho", "table=linear:steps=200,first=0.001,last=0.05");
  expect_pass("s0.linear.path", "sigma=1.2");
  expect_pass("s0.anderson.forward-equation-geometric", "mu=-0.4,sigma=0.7");
  expect_pass("s0.anderson.geometric", "mu=-0.5,sigma=0.4,n=10000");
  expect_pass("s3.flow.geometric", "mu=0.8,sigma=0.3");
  expect_pass("s0.remark.euler-conditional", "sigma=0.5");
  expect_pass("s0.remark.expansion", "sigma=0.5");
  expect_pass("s0.start.gaussian", "mean=3,variance=0.5");
  expect_pass("s0.learning.memorises", "points=8,n=2000");
  expect_pass("s2.langevin.ula-estimated", "variance=3,step=0.3");
  expect_pass("s2.annealed.step-rule", "variance=2,step=0.3");
  expect_pass("s2.levels.limit", "variance=0.5,largest=4");
  expect_pass("s2.levels.spacing", "variance=0.5,largest=4");
  expect_pass("s3.tweedie.family-gamma", "shape=4,a=1,b=0.5");
  expect_pass("s3.sde.weak-order", "first=0.2,last=2");
  expect_pass("s3.sde.strong-order", "first=0.2,last=2");
  expect_pass("s1.model.embedding", "steps=1000");
  expect_pass("inverse.posterior", "dims=5");
  expect_pass("inverse.bias.pigdm", "dims=5");
  expect_pass("s3.signal.posterior-d2", "dims=7");
  expect_pass("s3.noise.posterior-d2", "dims=7");
  for (const char* id : {"s0.remark.backward", "s3.flow.marginals", "s3.elbo.many-steps", "s3.flow.solvers",
                         "s3.flow.encoding"})
    expect_pass(id, "target=" + file("gentle.json"));
  const Outcome result = outcome("s1.chain.transition-cosine", "table=linear:steps=30,first=0.01,last=0.4");
  EXPECT_EQ(result.set, (course::Changes{{"table", "linear:steps=30,first=0.01,last=0.4"}}));
}

TEST_F(SettingsFiles, RefusesWhatItCannotDo) {
  const auto refusal = [](const std::string& id, const std::string& set) {
    return [=] { outcome(id, set); };
  };
  EXPECT_THAT(
      refusal("s0.reversal.vp", "sigma=2"),
      ThrowsMessage<Error>(HasSubstr("s0.reversal.vp: unknown setting 'sigma'; valid: target, n, steps")));
  EXPECT_THAT(refusal("s0.linear.law", "sigma=-1"),
              ThrowsMessage<Error>(
                  HasSubstr("s0.linear.law: sigma: expected a number from 0.1 to 2 but received -1")));
  EXPECT_THAT(refusal("s0.linear.law", "sigma=1,sigma=2"),
              ThrowsMessage<Error>(HasSubstr("sigma is given twice")));
  EXPECT_THAT(refusal("s0.linear.law", "sigma"), ThrowsMessage<Error>(HasSubstr("expected KEY=VALUE")));
  EXPECT_THAT(refusal("s3.tweedie.mixture", "target=" + file("plane.json")),
              ThrowsMessage<Error>(HasSubstr("expected a law in 1 dimensions")));
  EXPECT_THAT(refusal("s3.tweedie.mixture", "target=four-points"),
              ThrowsMessage<Error>(HasSubstr("component 1: expected standard deviations from 0.03 to 30")));
  EXPECT_THAT(refusal("s0.reversal.vp", "target=moons"),
              ThrowsMessage<Error>(HasSubstr("expected a Gaussian mixture")));
  EXPECT_THAT(
      refusal("s1.posterior.bayes-linear", "table=" + file("wrong.csv")),
      ThrowsMessage<Error>(HasSubstr("line 2: expected a beta strictly between 0 and 1 but received '1.5'")));
  EXPECT_THAT(refusal("s3.appendix.factorisation", "n=5"), ThrowsMessage<Error>(HasSubstr("valid: none")));
}

/// Of a group those checks that have the setting and can use its value take it; the others say why not.
TEST_F(SettingsFiles, AGroupTakesWhatItCan) {
  const auto outcomes = run(select({"s1.chain.prior-distance", "s3.elbo.path-divergence", "s0.linear.law",
                                    "s3.appendix.factorisation"}),
                            {.set = {"variance=0.5,sigma=1.5"}});
  ASSERT_EQ(outcomes.size(), 4u);
  for (const Outcome& o : outcomes) {
    EXPECT_TRUE(o.passed()) << o.check->id;
    const bool linear = o.check->id == "s0.linear.law", factors = o.check->id == "s3.appendix.factorisation";
    EXPECT_EQ(o.set.size(), factors ? 0u : 1u) << o.check->id;
    EXPECT_EQ(o.left.size(), factors ? 2u : 1u) << o.check->id;
    EXPECT_EQ(o.left.front(),
              linear || factors ? "variance (it has no such setting)" : "sigma (it has no such setting)");
  }
  // A law in the plane is no law for a check on the line.
  const auto kernels = run(select({"s1.posterior.reverse-kernel-line", "s1.posterior.reverse-kernel-plane"}),
                           {.set = {"n=4000,target=" + file("plane.json")}});
  EXPECT_EQ(kernels[0].set.size(), 1u);
  ASSERT_EQ(kernels[0].left.size(), 1u);
  EXPECT_THAT(kernels[0].left[0], HasSubstr("expected a law in 1 dimensions"));
  EXPECT_EQ(kernels[1].set.size(), 2u);
}

TEST_F(SettingsFiles, AGroupRefusesWhatNoneCanUse) {
  const auto refusal = [](const std::string& set) {
    return [=] { run(select({"s1.chain"}), {.set = {set}}); };
  };
  EXPECT_THAT(refusal("sigma=2"),
              ThrowsMessage<Error>(HasSubstr("set: unknown setting 'sigma'; valid: table, x0, n")));
  EXPECT_THAT(refusal("x0=1000"), ThrowsMessage<Error>(HasSubstr("x0: expected a number from -100 to 100")));
  EXPECT_THAT(refusal("x0=1,x0=2"), ThrowsMessage<Error>(HasSubstr("set: x0 is given twice")));
  EXPECT_THAT(refusal("table=" + file("wrong.csv")), ThrowsMessage<Error>(HasSubstr("line 2")));
}

/// What docs/course.md says of how much can be set.
TEST(SettingsTest, DocsCountWhatCanBeSet) {
  std::ifstream page(FOKKER_SOURCE_DIR "/docs/course.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  const auto& checks = all_checks();
  const auto& items = gallery::all_items();
  const auto has = [](const auto& of) { return !of.settings.empty(); };
  EXPECT_THAT(text, HasSubstr(fmt::format("{} of the {} checks",
                                          std::count_if(checks.begin(), checks.end(), has), checks.size())));
  EXPECT_THAT(text, HasSubstr(fmt::format("{} of the {} pictures",
                                          std::count_if(items.begin(), items.end(), has), items.size())));
  for (const Check& c : checks)
    EXPECT_TRUE(has(c) || text.find("`" + c.id + "`") != std::string::npos)
        << c.id << ": course.md says why it has no settings";
  for (const gallery::Item& item : items)
    EXPECT_TRUE(has(item) || text.find("`" + item.id + "`") != std::string::npos) << item.id;
}

}  // namespace
}  // namespace fokker::verify
