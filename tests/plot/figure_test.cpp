#include "fokker/plot/figure/figure.h"

#include <fstream>

#include "fokker/core/file/files.h"
#include "fokker/core/random/rng.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/heatmap.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "folder.h"
#include "pixels.h"
#include "plot/refusal.h"
#include "png_reader.h"

namespace fokker::plot {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

using FigureFile = FolderTest;

Figure sample_figure(FigureOptions options) {
  Figure figure(std::move(options));
  add_scatter(figure.axes(), Rng(1).normal({200, 2}), {.label = "samples"});
  return figure;
}

TEST_F(FigureFile, PngDecodesToTheRenderedPixels) {
  const Figure figure = sample_figure({.width = 321, .height = 234, .title = "title"});
  figure.save(folder_ / "a.png");
  EXPECT_EQ(read_file(folder_ / "a.png").substr(0, 8), "\x89PNG\r\n\x1a\n");
  const Tensor decoded = read_png(folder_ / "a.png");
  EXPECT_EQ(decoded.sizes(), (IntArrayRef{3, 234, 321}));
  EXPECT_TRUE(at::equal(decoded, figure.render()));
}

TEST_F(FigureFile, PixelRatioGivesMorePixelsOfTheSamePicture) {
  const FigureOptions options{.width = 300, .height = 200, .title = "t", .pixel_ratio = 2};
  const Tensor dense = sample_figure(options).render();
  EXPECT_EQ(dense.sizes(), (IntArrayRef{3, 400, 600}));
  FigureOptions plain = options;
  plain.pixel_ratio = 1;
  const Tensor averaged = at::avg_pool2d(dense.to(at::kFloat).unsqueeze(0), 2).squeeze(0);
  const Tensor difference = (averaged - sample_figure(plain).render().to(at::kFloat)).abs();
  EXPECT_LT(difference.mean().item<double>(), 2);
}

TEST_F(FigureFile, VectorFormatsAreWhatTheySay) {
  const Figure figure = sample_figure({.width = 321, .height = 234});
  figure.save(folder_ / "a.svg");
  figure.save(folder_ / "A.PDF");
  const std::string svg = read_file(folder_ / "a.svg"), pdf = read_file(folder_ / "A.PDF");
  EXPECT_THAT(svg.substr(0, 400), HasSubstr("width=\"321px\" height=\"234px\""));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
  EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
  EXPECT_THAT(pdf.substr(pdf.size() - 7), HasSubstr("%%EOF"));
  EXPECT_THAT(pdf, HasSubstr("[ 0 0 240.75 175.5 ]"));  // points: 3/4 of a pixel
}

TEST_F(FigureFile, HostileLabelsAreEscapedInSvg) {
  Figure figure({.title = "<script>alert(1)</script> & \"co\""});
  figure.axes().x.label = "a' onload='x\x01\xff";
  add_line(figure.axes(), at::arange(2), at::arange(2), {.label = "]]> --> <img src=x>"});
  const std::string svg = figure.encode(ImageFormat::svg);
  EXPECT_THAT(svg, HasSubstr("<title>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;</title>"));
  EXPECT_THAT(svg, HasSubstr("a&#39; onload=&#39;x \xEF\xBF\xBD; ]]&gt; --&gt; &lt;img src=x&gt;</desc>"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("<img")));
  EXPECT_NO_THROW(figure.render());
  EXPECT_NO_THROW(figure.encode(ImageFormat::pdf));
}

TEST_F(FigureFile, UnknownExtensionIsRefusedBeforeDrawing) {
  expect_refusal(ErrorKind::argument, ".png, .svg or .pdf but received out.bmp",
                 [] { Figure().save("out.bmp"); });
}

TEST_F(FigureFile, FailedSaveLeavesTheOldFile) {
  std::ofstream(folder_ / "old.png") << "old";
  Figure figure = sample_figure({});
  figure.axes().x.limits = Range{1, 0};
  EXPECT_THROW(figure.save(folder_ / "old.png"), Error);
  EXPECT_EQ(read_file(folder_ / "old.png"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  expect_refusal(ErrorKind::resource, "is-a-file", [&] {
    std::ofstream(folder_ / "is-a-file") << "x";
    sample_figure({}).save(folder_ / "is-a-file" / "a.png");
  });
}

/// Nothing may be drawn on the outermost two pixels: what is there has run off the page.
void expect_clear_border(const Figure& figure) {
  const Tensor image = figure.render();
  const Colour b = figure.options().theme.background;
  const Tensor background =
      at::tensor({b.red, b.green, b.blue}, at::kFloat).mul(255).round().to(at::kByte).reshape({3, 1, 1});
  const int64_t height = image.size(1), width = image.size(2);
  for (const Tensor& strip : {image.narrow(1, 0, 2), image.narrow(1, height - 2, 2), image.narrow(2, 0, 2),
                              image.narrow(2, width - 2, 2)})
    EXPECT_TRUE((strip == background).all().item<bool>())
        << figure.options().width << " x " << figure.options().height;
}

TEST(FigureLayout, NothingRunsOffThePage) {
  const std::string longest(300, 'W');
  for (const auto& [width, height] : {std::pair(300, 220), {640, 480}, {1200, 300}, {260, 700}})
    for (const double magnitude : {1e-9, 1.0, 1e5, 1e12}) {
      Figure figure({.width = width, .height = height, .title = longest, .theme = Theme::dark()});
      Axes& axes = figure.axes();
      axes.title = "{_^{" + longest;
      axes.x.label = longest;
      axes.y.label = longest;
      add_scatter(axes, magnitude * Rng(2).normal({20, 2}), {.label = longest});
      add_line(axes, at::tensor({-magnitude, magnitude}), at::tensor({-magnitude, magnitude}),
               {.label = "x_t^2"});
      expect_clear_border(figure);
    }
}

TEST(FigureLayout, NothingRunsOffThePageWithManyPanels) {
  Figure figure({.width = 900, .height = 600, .rows = 2, .columns = 3, .title = "all"});
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 3; ++column) {
      Axes& axes = figure.axes(row, column);
      axes.title = "a long title of a narrow panel, number " + std::to_string(column);
      axes.equal_aspect = column == 1;
      axes.y.label = "y";
      axes.x.label = "x";
      add_heatmap(axes, 1e-7 * at::rand({4, 4}), {{0, 1e6}, {0, 3e6}},
                  {.label = "a label of the colour bar"});
    }
  expect_clear_border(figure);
}

TEST(FigureLayout, PanelsOfAColumnLineUp) {
  Figure figure({.width = 700, .height = 500, .rows = 2, .columns = 2});
  add_line(figure.axes(0, 0), at::arange(2), at::tensor({0., 1e-3}));
  add_line(figure.axes(1, 0), at::arange(2), at::tensor({0., 123456.}));
  figure.axes(0, 1).title = "title";
  const auto panels = figure.layout().panels;
  EXPECT_EQ(panels[0].transform.box.left, panels[2].transform.box.left);
  EXPECT_EQ(panels[0].transform.box.right, panels[2].transform.box.right);
  EXPECT_EQ(panels[0].transform.box.top, panels[1].transform.box.top);
  EXPECT_LE(panels[0].cell.right, panels[1].cell.left);
  EXPECT_LE(panels[0].cell.bottom, panels[2].cell.top);
}

TEST(FigureLayout, AxisLabelsHaveRoomBesideTheTickLabels) {
  Canvas measure(ImageFormat::png, 1, 1);
  Figure figure;
  figure.axes().y.limits = Range{-1e-5, 3e-5};
  figure.axes().x.label = figure.axes().y.label = "label";
  const PanelLayout panel = figure.layout().panels[0];
  const Theme theme = Theme::light();
  const double label = measure.measure("label", label_style(theme)).height();
  double widest = 0;
  for (const auto& text : panel.y_ticks.labels)
    widest = std::max(widest, measure.measure(text, tick_style(theme)).width);
  EXPECT_GE(panel.left_margin, spacing::tick + widest + label + 4);
  EXPECT_GE(panel.transform.box.left, spacing::page + panel.left_margin - 1e-9);
  const double below = panel.cell.bottom - panel.transform.box.bottom;
  EXPECT_GE(below, spacing::tick + measure.measure("0", tick_style(theme)).height() + label + 4);
}

TEST(FigureLayout, EqualAspectMakesUnitsEquallyLong) {
  Figure figure({.width = 800, .height = 400});
  figure.axes().equal_aspect = true;
  figure.axes().x.limits = Range{0, 4};
  figure.axes().y.limits = Range{0, 3};
  const auto t = figure.layout().panels[0].transform;
  EXPECT_NEAR(t.box.width() / 4, t.box.height() / 3, 0.5);
}

TEST(FigureLayout, TickLabelsDoNotOverlap) {
  Canvas measure(ImageFormat::png, 1, 1);
  for (const int width : {160, 250, 400, 900})
    for (const Range limits : {Range{0, 1}, {-1e-8, 3e-8}, {0, 2e5}, {1e9, 1e9 + 3}, {-1234, 5678}}) {
      Figure figure({.width = width, .height = 300});
      figure.axes().x.limits = limits;
      const auto panel = figure.layout().panels[0];
      double end = -1;
      ASSERT_FALSE(panel.x_ticks.positions.empty());
      for (size_t i = 0; i < panel.x_ticks.positions.size(); ++i) {
        const double centre = panel.transform.to_pixel({panel.x_ticks.positions[i], 0}).x;
        const double half = 0.5 * measure.measure(panel.x_ticks.labels[i], tick_style(Theme::light())).width;
        EXPECT_GT(centre - half, end);
        EXPECT_GE(centre - half, 0);
        EXPECT_LE(centre + half, width);
        end = centre + half;
      }
    }
}

TEST(FigureLayout, NamesStandAtTheirValuesInPlaceOfNumbers) {
  Figure figure;
  Axes& axes = figure.axes();
  add_bars(axes, at::tensor({1.0, 2.0, 3.0}), at::tensor({2.0, 1.0, 4.0}));
  axes.x.names = {{1, "first"}, {3, "third"}, {9, "outside"}};
  const PanelLayout panel = figure.layout().panels[0];
  EXPECT_EQ(panel.x_ticks.labels, (std::vector<std::string>{"first", "third"}));
  EXPECT_EQ(panel.x_ticks.positions, (std::vector<double>{1, 3}));
  EXPECT_THAT(panel.y_ticks.labels, testing::Contains("4.0"));
}

TEST(Figure, FrameAndThemeAreDrawnWhereTheLayoutSays) {
  for (const Theme& theme : {Theme::light(), Theme::dark()}) {
    Figure figure({.width = 300, .height = 200, .theme = theme});
    const Rect box = figure.layout().panels[0].transform.box;
    const Tensor image = figure.render();
    expect_pixel(image, {box.left, box.centre().y + 3}, theme.muted);
    expect_pixel(image, {box.right - 1, box.centre().y + 3}, theme.muted);
    expect_pixel(image, {box.centre().x + 3, box.top}, theme.muted);
    expect_pixel(image, {1, 1}, theme.background);
  }
}

TEST(Figure, MarksStayInsideTheirPanel) {
  Figure figure({.width = 300, .height = 200});
  figure.axes().x.limits = Range{0, 1};
  figure.axes().y.limits = Range{0, 1};
  Figure empty = figure;
  add_line(figure.axes(), at::tensor({-5., 5.}), at::tensor({0.5, 0.5}),
           {.colour = Colour::hex(0xff0000), .width = 30});
  const Rect box = figure.layout().panels[0].transform.box;
  Tensor difference = (figure.render() != empty.render()).any(0);
  EXPECT_GT(difference.sum().item<int64_t>(), 1000);
  difference.narrow(0, static_cast<int64_t>(box.top), static_cast<int64_t>(box.height()))
      .narrow(1, static_cast<int64_t>(box.left), static_cast<int64_t>(box.width()))
      .fill_(false);
  EXPECT_EQ(difference.sum().item<int64_t>(), 0);
}

TEST(Figure, BadRequestsAreRefused) {
  const auto argument = ErrorKind::argument;
  expect_refusal(argument, "rows and columns of panels but received 0 x 1", [] { Figure({.rows = 0}); });
  expect_refusal(argument, "positive size but received -5 x 480", [] { Figure({.width = -5}); });
  expect_refusal(argument, "1 x 2 grid but received row 0, column 2",
                 [] { Figure({.columns = 2}).axes(0, 2); });
  expect_refusal(argument, "room for 5 x 5 panels",
                 [] { Figure({.width = 100, .height = 100, .rows = 5, .columns = 5}).render(); });
  expect_refusal(argument, "at most 30000 pixels",
                 [] { Figure({.width = 20000, .height = 400, .pixel_ratio = 2}).render(); });
}

}  // namespace
}  // namespace fokker::plot
