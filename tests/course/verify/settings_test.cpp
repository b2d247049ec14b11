// Checks on a reader's own problem: fokker verify ID --set KEY=VALUE,...
#include "fokker/course/problem/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fokker/core/check.h"
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
                         testing::Values("s0.learning.constant", "s0.learning.fisher-identity",
                                         "s1.posterior.optimal-mean", "s2.denoising.stein",
                                         "s2.denoising.constant", "s2.implicit.constant",
                                         "s3.score.mixture-general", "s3.tweedie.mixture",
                                         "s3.tweedie.family-normal"));

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
                    FewDraws{"s3.flow.log-likelihood", ""}));

TEST_F(SettingsFiles, HoldInThePlane) {
  for (const char* id : {"s0.langevin.drift", "s2.implicit.constant", "s1.posterior.reverse-kernel-plane",
                         "s0.learning.constant"})
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
                  HasSubstr("s0.linear.law: sigma: expected a number from 0.1 to 3 but received -1")));
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
  EXPECT_THAT(refusal("s0.learning.memorises", "n=5"), ThrowsMessage<Error>(HasSubstr("valid: none")));
}

TEST(SettingsTest, TwentyChecksAndTenLaws) {
  int declared = 0, laws = 0;
  for (const Check& c : all_checks()) {
    declared += !c.settings.empty();
    laws += std::any_of(c.settings.begin(), c.settings.end(),
                        [](const Setting& s) { return s.name == "target"; });
  }
  EXPECT_GE(declared, 40);
  EXPECT_GE(laws, 25);
}

}  // namespace
}  // namespace fokker::verify
