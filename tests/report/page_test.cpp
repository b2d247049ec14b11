#include "fokker/report/page.h"

#include <regex>

#include "fokker/core/text/encoding.h"
#include "fokker/plot/chart/charts.h"
#include "fokker/report/html.h"
#include "support.h"

namespace fokker::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHostile =
    "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>&amp;</style></title>";

/// Every place of a page that takes a text, filled with one.
Page page_of(const std::string& text) {
  Page page(text, text);
  const Picture picture{.light = "data:image/png;base64,AAAA",
                        .dark = "data:image/png;base64,BBBB",
                        .alt = text,
                        .width = 1,
                        .height = 1};
  page.section(text).heading(text).paragraph(text).note(text).folded(text, text);
  page.facts({{text, text}}).highlights({{text, text}}).links({{text, "#section-1"}});
  page.table({.caption = text, .columns = {text, text}, .rows = {{text, text}}});
  page.table({.caption = text, .columns = {text}, .rows = {{text}}, .folded = true});
  page.figures({{.picture = picture, .caption = text, .link = "page.html"}});
  page.wide_figure({.picture = picture, .caption = text});
  PointFrames points;
  points.frames = at::zeros({2, 1, 2});
  points.labels = {text, text};
  points.name = points.reference_name = points.x_label = points.y_label = points.alt = points.caption =
      points.control = text;
  page.player(points);
  page.player(PictureFrames{
      .frames = {picture, picture}, .labels = {text, text}, .alt = text, .caption = text, .control = text});
  return page;
}

/// The tags of a document, in order, without their attributes.
std::vector<std::string> tags(const std::string& html) {
  const std::regex tag("<(/?[a-zA-Z][a-zA-Z0-9]*)");
  std::vector<std::string> found;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator(); ++it)
    found.push_back((*it)[1]);
  return found;
}

// No text can add an element: the tags of a page are those of the same page with harmless texts.
TEST(Html, MathematicsOfACaptionIsSetAndNamesStayAsTheyAre) {
  EXPECT_EQ(escape_with_mathematics("p_θ(x_{t-1} | x_t)"), "p<sub>θ</sub>(x<sub>t−1</sub> | x<sub>t</sub>)");
  EXPECT_EQ(escape_with_mathematics("10^{-3} of user_id <b>"), "10<sup>−3</sup> of user_id &lt;b&gt;");
  EXPECT_EQ(escape_with_mathematics("x_{<script>}"), "x<sub>&lt;script&gt;</sub>");
}

TEST(Page, HostileTextsAddNoMarkup) {
  const std::string hostile = page_of(kHostile).html();
  EXPECT_EQ(tags(hostile), tags(page_of("harmless").html()));
  EXPECT_THAT(hostile, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(hostile, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(
      hostile,
      HasSubstr(
          "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=&#39;alert(2)&#39;&gt;"));
}

/// The document without the data of its players, which is JSON.
std::string without_data(std::string html) {
  const std::string opening = "<script type=\"application/json\">";
  for (size_t start; (start = html.find(opening)) != std::string::npos;)
    html.erase(start, html.find("</script>", start) - start);
  return html;
}

// Nor can it leave its attribute: every quote of it is an entity.
TEST(Page, HostileTextsStayInTheirAttributes) {
  const std::string html = without_data(page_of("\" onclick=\"alert(1)").html());
  EXPECT_THAT(html, Not(HasSubstr("\" onclick=")));
  EXPECT_THAT(html, HasSubstr("alt=\"&quot; onclick=&quot;alert(1)\""));
  EXPECT_THAT(html, HasSubstr("aria-label=\"&quot; onclick=&quot;alert(1)\""));
}

TEST(Page, BytesThatAreNotTextAreReplaced) {
  const std::string html = page_of(std::string("a\xff\x01\x1b") + '\0' + "b").html();
  EXPECT_THAT(html, HasSubstr("a\xEF\xBF\xBD"));
  for (const char c : html)
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 32 || c == '\n') << static_cast<int>(c);
}

TEST(Page, LineBreaksOfCodeStay) {
  EXPECT_THAT(Page("t", "s").folded("c", "a < 1\nb & 2").html(), HasSubstr("a &lt; 1\nb &amp; 2</pre>"));
}

// The policy names the script and the style of the page by their digests, and allows nothing else.
TEST(Page, PolicyAllowsItsOwnPartsAlone) {
  const std::string html = page_of("x").html();
  const auto between = [&](const std::string& from, const std::string& to) {
    const size_t start = html.rfind(from) + from.size();
    return html.substr(start, html.find(to, start) - start);
  };
  const std::string policy = between("Content-Security-Policy\" content=\"", "\">");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("script-src " + policy_hash(between("<script>", "</script>"))));
  EXPECT_THAT(policy, HasSubstr("style-src " + policy_hash(between("<style>", "</style>"))));
  EXPECT_THAT(policy, HasSubstr("img-src data:;"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_THAT(html, Not(HasSubstr("style=\"")));
}

TEST(Page, WithoutPlayersThereIsNoScript) {
  const std::string html = Page("t", "s").section("a").paragraph("b").html();
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("script-src 'none'"));
}

TEST(Page, LinksCannotRunScripts) {
  Page page("t", "s");
  for (const char* address : {"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
                              " javascript:x", "java\nscript:x", ""})
    EXPECT_THAT(
        [&] {
          page.links({{"x", address}});
        },
        message("expected a link to a relative path"))
        << address;
  page.links({{"x", "#a"}, {"y", "sub/page.html"}, {"z", "https://example.org/?a=1&b=2"}});
  EXPECT_THAT(page.html(), HasSubstr("href=\"https://example.org/?a=1&amp;b=2\""));
}

TEST(Page, PicturesNeedTextsAndSafeSources) {
  Page page("t", "s");
  Picture picture{.light = "data:image/png;base64,AAAA", .width = 1, .height = 1};
  EXPECT_THAT([&] { page.figures({{.picture = picture}}); }, message("expected an alternative text"));
  picture.alt = "a";
  picture.light = "https://example.org/a.png";
  EXPECT_THAT([&] { page.figures({{.picture = picture}}); },
              message("expected a picture as a data: URI or a relative path"));
  EXPECT_THAT([] { linked("/etc/a.png", "a", 1, 1); }, message("expected a picture"));
  page.figures({{.picture = linked("a.png", "a", 1, 1)}});
  EXPECT_THAT(page.html(), HasSubstr("img-src data: 'self' file:"));
}

// 16-bit places in the limits: 0 at the low end, 65534 at the high end, 65535 outside.
TEST(Page, PointsAreExactPlacesInTheirLimits) {
  PointFrames points{.labels = {"a", "b"}, .x_limits = {-1, 3}, .y_limits = {0, 10}, .alt = "points"};
  points.frames = rows_of({{-1, 10}, {1, 5}, {3.001, 0}}).reshape({1, 3, 2}).repeat({2, 1, 1});
  const std::string html = Page("t", "s").player(points).html();
  const std::string bytes("\x00\x00\xfe\xff\xff\x7f\xff\x7f\xff\xff\x00\x00", 12);
  EXPECT_THAT(html, HasSubstr("\"frames\":[\"" + base64(bytes) + "\",\"" + base64(bytes) + "\"]"));
  points.labels = {"a"};
  EXPECT_THAT([&] { Page("t", "s").player(points); },
              message("expected one label for each of 2 frames but received 1"));
}

// Ticks of the page stand where those of the plots do: -1, 0, 1, 2, 3 in quarters.
TEST(Page, AxesHaveTheTicksOfThePlots) {
  PointFrames points{.frames = at::zeros({2, 1, 2}),
                     .labels = {"a", "b"},
                     .x_limits = {-1, 3},
                     .y_limits = {0, 1},
                     .alt = "p"};
  EXPECT_THAT(Page("t", "s").player(points).html(),
              HasSubstr("\"ticks\":[[0.0,\"\\u22121\"],[0.25,\"0\"],[0.5,\"1\"],[0.75,\"2\"],[1.0,\"3\"]]"));
}

TEST(Page, FiguresComeInBothThemes) {
  const auto draw = [](const plot::Theme& theme) {
    return plot::histogram(at::arange(9, at::kDouble), {.theme = theme});
  };
  const Picture svg = embed(draw, "a"), png = embed(draw, "a", plot::ImageFormat::png);
  EXPECT_NE(svg.light, svg.dark);
  EXPECT_TRUE(png.dark.starts_with("data:image/png;base64,iVBORw0KGgo"));
  EXPECT_EQ(png.width, 640);
  EXPECT_THAT(Page("t", "s").figures({{.picture = svg}}).html(),
              HasSubstr("<source media=\"(prefers-color-scheme: dark)\" srcset=\"data:image/svg"));
}

}  // namespace
}  // namespace fokker::report
