#include "fokker/plot/figure/label.h"

#include "plot/refusal.h"

namespace fokker::plot {
namespace {

using testing::ElementsAre;
constexpr auto kBase = TextRun::Level::base;
constexpr auto kSub = TextRun::Level::subscript;
constexpr auto kSuper = TextRun::Level::superscript;

TEST(Label, ReadsSubscriptsAndSuperscripts) {
  EXPECT_THAT(parse_label("x_t"), ElementsAre(TextRun{"x", kBase}, TextRun{"t", kSub}));
  EXPECT_THAT(parse_label("x_{t-1} + 1"),
              ElementsAre(TextRun{"x", kBase}, TextRun{"t−1", kSub}, TextRun{" + 1", kBase}));
  EXPECT_THAT(parse_label("x_10^2"),
              ElementsAre(TextRun{"x", kBase}, TextRun{"10", kSub}, TextRun{"2", kSuper}));
  EXPECT_THAT(parse_label("10^-3 m"),
              ElementsAre(TextRun{"10", kBase}, TextRun{"−3", kSuper}, TextRun{" m", kBase}));
  EXPECT_THAT(parse_label("10^{6}"), ElementsAre(TextRun{"10", kBase}, TextRun{"6", kSuper}));
}

TEST(Label, ReadsNamesOfSigns) {
  EXPECT_THAT(parse_label("\\sigma_t \\epsilon"),
              ElementsAre(TextRun{"σ", kBase}, TextRun{"t", kSub}, TextRun{" ε", kBase}));
  EXPECT_THAT(parse_label("p_\\theta(x)"),
              ElementsAre(TextRun{"p", kBase}, TextRun{"θ", kSub}, TextRun{"(x)", kBase}));
  EXPECT_EQ(plain_label("\\alpha \\beta \\lambda \\mu \\nabla"), "α β λ μ ∇");
}

TEST(Label, LeavesOrdinaryTextAlone) {
  for (const char* text :
       {"user_id", "net_income_2020", "C:\\temp\\new", "a ^ b", "x_", "_x", "^2", "x_{open", "50% of x_max"})
    EXPECT_THAT(parse_label(text), ElementsAre(TextRun{text, kBase})) << text;
  EXPECT_TRUE(parse_label("").empty());
}

TEST(Label, RepairsBytesThatAreNotText) {
  EXPECT_EQ(clean_text("a\xff"
                       "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(clean_text("\xc0\xaf"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(clean_text("\xe2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // cut off
  EXPECT_EQ(clean_text("a\nb\tc\x01"), "a b c ");
  EXPECT_EQ(clean_text("σ 😀"), "σ 😀");
}

TEST(Label, EscapesXml) {
  EXPECT_EQ(escape_xml("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}

}  // namespace
}  // namespace fokker::plot
