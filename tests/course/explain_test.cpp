// Derivations line by line, and their formulas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/core/file/files.h"
#include "fokker/course/explain/derivation.h"
#include "fokker/course/verify/suite.h"
#include "fokker/report/math.h"

namespace fokker::explain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

TEST(DerivationTest, EveryLineHolds) {
  EXPECT_GE(all_derivations().size(), 6u);
  for (const Derivation& d : all_derivations()) {
    EXPECT_NO_THROW(verify::select({d.id}));
    const Explained e = explain(d);
    EXPECT_GE(e.lines.size(), 5u) << d.id;
    for (size_t i = 0; i < e.lines.size(); ++i)
      EXPECT_TRUE(e.lines[i].holds())
          << d.id << " line " << i + 1 << ": " << e.lines[i].left << " " << e.lines[i].right;
  }
}

/// An error shows in its own line, and in no line before it.
TEST(DerivationTest, AMistakeShowsWhereItIsMade) {
  for (const Derivation& d : all_derivations()) {
    const Explained wrong = explain(d, d.mistake.name);
    EXPECT_FALSE(wrong.holds()) << d.id;
    EXPECT_EQ(std::count_if(wrong.lines.begin(), wrong.lines.end(), [](const Line& l) { return !l.holds(); }),
              1)
        << d.id;
    EXPECT_THAT(as_text(wrong), HasSubstr("DOES NOT HOLD"));
    EXPECT_THAT(as_text(explain(d)), Not(HasSubstr("DOES NOT HOLD")));
  }
}

TEST(DerivationTest, RefusesWhatIsNotWrittenOut) {
  EXPECT_THAT([] { derivation_of("s0.reversal.vp"); },
              ThrowsMessage<Error>(
                  HasSubstr("no derivation is written out for 's0.reversal.vp'; there are: s0.learning")));
  EXPECT_THAT([] { explain(all_derivations()[0], "luck"); },
              ThrowsMessage<Error>(HasSubstr("expected 'factor 2' to leave out")));
}

TEST(MathTest, PlainAndTypeset) {
  const report::Math m("x_0=\\frac{1}{\\sqrt{\\bar{\\alpha}_t}}(x_t-\\sigma^2\\epsilon)");
  EXPECT_EQ(m.text(), "x_0 = 1/√α\u0304_t (x_t − σ² ε)");
  EXPECT_THAT(m.mathml(), HasSubstr("<mfrac><mrow><mn>1</mn></mrow><mrow><msqrt>"));
  EXPECT_THAT(m.mathml(), HasSubstr("<msup><mi>σ</mi><mn>2</mn></msup>"));
  EXPECT_THAT(report::Math("a<b").mathml(), HasSubstr("<mo>&lt;</mo>"));
  EXPECT_THAT(report::Math("\\text{a<b & c}").mathml(), HasSubstr("<mtext>a&lt;b &amp; c</mtext>"));
  EXPECT_EQ(report::Math("a x_1+E\\epsilon_2 dx_1").text(), "a x_1 + E ε_2 dx_1");
  EXPECT_EQ(report::Math("\\E\\epsilon_i^2=|q_Y|^2\\nabla\\log p").text(), "E ε_i² = |q_Y|² ∇ log p");
  EXPECT_THROW(report::Math("\\frac{1}"), Error);
  EXPECT_THROW(report::Math("\\unknown"), Error);
  EXPECT_THROW(report::Math("{a"), Error);
}

/// Brackets grow with what stands between them and carry the scripts of the closing one; a bar that only
/// separates does neither.
TEST(MathTest, BracketsAreRows) {
  const std::string square = report::Math("|s(y)|^2").mathml();
  EXPECT_THAT(square, HasSubstr("<msup><mrow><mo stretchy=\"false\" lspace=\"0\" rspace=\"0\">|</mo>"));
  EXPECT_THAT(report::Math("[\\frac{a}{b}]").mathml(), HasSubstr("stretchy=\"true\""));
  EXPECT_THAT(report::Math("q(x|y)^2").mathml(), HasSubstr("</mrow><mn>2</mn></msup>"));
  EXPECT_THAT(report::Math("q(x|y)").mathml(), Not(HasSubstr("<msup>")));
  EXPECT_THAT(report::Math("\\sum_{i=1}^{t}a_i").mathml(), HasSubstr("<munderover><mo>∑</mo>"));
}

TEST(DerivationTest, PageStandsAlone) {
  const auto file =
      std::filesystem::temp_directory_path() / ("fokker-explain-" + std::to_string(::getpid()) + ".html");
  save_page({explain(derivation_of("s3.tweedie.mixture"))}, file);
  const std::string page = read_file(file);
  std::filesystem::remove(file);
  EXPECT_THAT(page, HasSubstr("<math display=\"block\">"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("://")));
}

}  // namespace
}  // namespace fokker::explain
