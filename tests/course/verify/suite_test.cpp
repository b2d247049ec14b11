#include "fokker/course/verify/suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fokker/core/check.h"

namespace fokker::verify {
namespace {

class NegativeControl : public testing::TestWithParam<const Check*> {};

/// Each ingredient matters: without it the check fails, and for no other reason.
TEST_P(NegativeControl, FailsWithoutIngredient) {
  for (const Ingredient& ingredient : GetParam()->ingredients) {
    const Outcome outcome = run({GetParam()}, {.without = ingredient.name}).front();
    EXPECT_EQ(outcome.error, "") << ingredient.name;
    EXPECT_FALSE(outcome.passed()) << ingredient.removed << ", yet " << outcome.worst.what << " is "
                                   << outcome.worst.measured;
  }
}

std::vector<const Check*> checks_with_ingredients() {
  std::vector<const Check*> chosen;
  for (const Check& c : all_checks())
    if (!c.ingredients.empty()) chosen.push_back(&c);
  return chosen;
}

std::string test_name(const testing::TestParamInfo<const Check*>& info) {
  std::string name = info.param->id;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

class MovedExpectation : public testing::TestWithParam<const Check*> {};

/// The checks that verify.md names as making a claim of more or less too.
std::string claims_in_the_docs() {
  std::ifstream file(FOKKER_SOURCE_DIR "/docs/verify.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t begin = text.find("Claims of more or less"), end = text.find("\n\n", begin);
  return begin == std::string::npos ? "" : text.substr(begin, end - begin);
}

/// A second kind of control. An expected value that is moved by twice its tolerance away from the measured
/// one is missed by more than the tolerance; moved the other way too, unless the measured value lies at the
/// very end of the tolerance. So there is no comparison whose tolerance hides a shift of twice its size, and
/// no check without an expected value.
TEST_P(MovedExpectation, Fails) {
  const Outcome outcome = run(*GetParam(), 0);
  ASSERT_EQ(outcome.error, "");
  int equalities = 0, claims = 0;
  for (const Finding& f : outcome.findings) {
    EXPECT_TRUE(f.passed) << f.what << " is " << f.measured << " for " << f.expected << " ± " << f.tolerance;
    if (f.relation != Relation::equal) {
      ++claims;
      continue;
    }
    ++equalities;
    EXPECT_GT(f.tolerance, 0) << f.what;
    const double away = f.measured >= f.expected ? -2 * f.tolerance : 2 * f.tolerance;
    EXPECT_FALSE(moved(f, away).passed) << f.what;
    const bool inside = std::abs(f.measured - f.expected) < f.tolerance * (1 - 1e-6);
    EXPECT_EQ(moved(f, -away).passed, !inside) << f.what;
  }
  EXPECT_GT(equalities, 0);
  EXPECT_EQ(claims_in_the_docs().find("`" + GetParam()->id + "`") != std::string::npos, claims > 0)
      << "docs/verify.md lists the checks that make claims of more or less";
}

std::vector<const Check*> every_check() {
  return select({});
}

INSTANTIATE_TEST_SUITE_P(Suite, MovedExpectation, testing::ValuesIn(every_check()), test_name);

INSTANTIATE_TEST_SUITE_P(Suite, NegativeControl, testing::ValuesIn(checks_with_ingredients()), test_name);

TEST(VerifySuite, EveryCheckHasAControl) {
  for (const Check& c : all_checks()) EXPECT_FALSE(c.ingredients.empty()) << c.id;
}

TEST(VerifySuite, DocumentsEveryCheck) {
  std::ifstream file(FOKKER_SOURCE_DIR "/docs/verify.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const Check& c : all_checks()) EXPECT_THAT(text, testing::HasSubstr("`" + c.id + "`"));
}

TEST(VerifySuite, SelectsGroupsAndRefusesUnknownNames) {
  const auto s0 = select({"s0"});
  ASSERT_FALSE(s0.empty());
  for (const Check* c : s0) EXPECT_TRUE(c->id.starts_with("s0."));
  EXPECT_EQ(select({}).size(), all_checks().size());
  EXPECT_THROW(select({"s0.rev"}), Error);
  EXPECT_THROW(run({&all_checks().front()}, {.without = "nothing"}), Error);
}

TEST(VerifySuite, NumbersDependOnSeedAndIdAlone) {
  const Check noise{.id = "a.b", .source = "", .statement = "", .measure = [](const Trial& t, Evidence& e) {
                      e.equal("noise", {t.rng().normal({1}).item<double>(), 0}, 0);
                    }};
  const auto measured = [&](uint64_t seed, int threads) {
    return run({&noise, &noise}, {.seed = seed, .threads = threads}).back().worst.measured;
  };
  EXPECT_EQ(measured(1, 1), measured(1, 2));
  EXPECT_NE(measured(1, 1), measured(2, 1));
}

TEST(VerifySuite, CheckThatThrowsHasFailed) {
  const Check broken{.id = "a", .source = "", .statement = "", .measure = [](const Trial&, Evidence&) {
                       fail(ErrorKind::failed, "cannot");
                     }};
  const Outcome outcome = run(broken, 0);
  EXPECT_FALSE(outcome.passed());
  EXPECT_EQ(outcome.error, "cannot");
  const Check empty{.id = "b", .source = "", .statement = "", .measure = [](const Trial&, Evidence&) {}};
  EXPECT_FALSE(run(empty, 0).passed());
}

}  // namespace
}  // namespace fokker::verify
