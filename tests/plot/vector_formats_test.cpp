// SVG and PDF as other programs draw them.
#include <fstream>

#include "fokker/core/file/files.h"
#include "fokker/core/random/rng.h"
#include "fokker/image/image.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/figure/figure.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/plot/mark/trajectories.h"
#include "folder.h"
#include "support.h"

namespace fokker::plot {
namespace {

const std::string hostile = "<script>alert('x')</script> \" & ]]> \n\r\t\x01\xff x_t \\sigma";

bool installed(const char* program) {
  return std::system(fmt::format("command -v {} >/dev/null 2>&1", program).c_str()) == 0;
}

struct Rendering {
  const char* extension;
  const char* program;
  const char* command;  ///< draws "picture.EXTENSION" as "other.png" at 96 dots an inch
};
const std::vector<Rendering> renderings = {
    {"svg", "rsvg-convert", "rsvg-convert -o other.png picture.svg"},
    {"pdf", "pdftoppm", "pdftoppm -r 96 -png -singlefile picture.pdf other"}};

Tensor drawn_elsewhere(const Figure& figure, const Rendering& rendering) {
  const TestFolder folder;
  figure.save(folder.path() / (std::string("picture.") + rendering.extension));
  const std::string command =
      fmt::format("cd '{}' && {} 2>messages", folder.path().string(), rendering.command);
  EXPECT_EQ(std::system(command.c_str()), 0) << read_file(folder.path() / "messages");
  return convert_channels(load_image(folder.path() / "other.png"), 3);
}

/// Every kind of mark.
Figure many_marks(const Theme& theme) {
  FigureOptions page{.width = 720, .height = 520, .rows = 2, .columns = 2, .title = "many marks"};
  page.theme = theme;
  Figure figure(page);
  const Tensor x = at::linspace(-3, 3, 50, at::kDouble), normal = (-0.5 * x * x).exp();
  const Tensor points = Rng(1).normal({400, 2}, {}, at::kDouble);
  add_deviation_bands(figure.axes(0, 0), x, normal, 0.1 + 0.1 * normal, {.label = "\\epsilon_\\theta(x_t)"});
  add_histogram(figure.axes(0, 1), points.select(1, 0), {.label = "<b>bars</b>"});
  const Extent extent{{-3, 3}, {-3, 3}};
  add_density(figure.axes(1, 0), [](const Tensor& at) { return (-0.5 * at.pow(2).sum(1)).exp(); }, extent,
              {.shade = 0.5});
  add_score_field(figure.axes(1, 0), [](const Tensor& at) { return -at; }, extent, {.arrows = 9});
  add_planar_trajectories(figure.axes(1, 1), points.reshape({20, 20, 2}).cumsum(1));
  return figure;
}

// Anti-aliasing, hinting and the edges of images differ a little: the mean difference of levels is far below
// what a mark that is missing or in another place makes, which the shifted picture shows.
TEST(VectorFormats, ShowTheSameInOtherPrograms) {
  for (const Rendering& rendering : renderings) {
    if (!installed(rendering.program))
      GTEST_SKIP() << rendering.program << " is not installed: run script/bootstrap";
    for (const Theme& theme : {Theme::light(), Theme::dark()}) {
      const Figure figure = many_marks(theme);
      const Tensor own = figure.render().to(at::kFloat),
                   other = drawn_elsewhere(figure, rendering).to(at::kFloat);
      ASSERT_EQ(own.sizes(), other.sizes()) << rendering.extension;
      const float difference = (own - other).abs().mean().item<float>();
      EXPECT_LT(difference, 2.5) << rendering.extension;
      EXPECT_GT((own - other.roll({4}, {2})).abs().mean().item<float>(), 2 * difference)
          << rendering.extension;
    }
  }
}

TEST(VectorFormats, DrawHostileLabelsAsText) {
  for (const Rendering& rendering : renderings) {
    if (!installed(rendering.program))
      GTEST_SKIP() << rendering.program << " is not installed: run script/bootstrap";
    for (const std::string& text :
         {hostile, std::string(10'000, 'W'), std::string(10'000, '{'), std::string("\\")}) {
      Figure figure({.title = text});
      figure.axes().title = figure.axes().x.label = figure.axes().y.label = text;
      add_line(figure.axes(), at::tensor({0.0, 1.0}), at::tensor({0.0, 1.0}), {.label = text});
      const Tensor other = drawn_elsewhere(figure, rendering);
      EXPECT_LT((figure.render().to(at::kFloat) - other.to(at::kFloat)).abs().mean().item<float>(), 4);
      EXPECT_EQ(figure.encode(ImageFormat::svg).find("<script"), std::string::npos);
      // The label is cut: the line still has most of the page.
      EXPECT_GT(figure.layout().panels[0].transform.box.height(), 300);
    }
  }
}

}  // namespace
}  // namespace fokker::plot
