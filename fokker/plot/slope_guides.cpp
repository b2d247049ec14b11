#include "fokker/plot/slope_guides.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/error.h"
#include "fokker/plot/layout.h"
#include "fokker/plot/ticks.h"

namespace fokker::plot {
namespace {

constexpr double kMargin = 12;         // pixels from the corner
constexpr double kWidest = 0.26;       // of the box
constexpr double kHighest = 0.32;      // of the box
constexpr double kBetweenLabels = 12;  // pixels between their middles

class SlopeGuides final : public Mark {
 public:
  explicit SlopeGuides(std::vector<double> orders) : orders_(std::move(orders)) {}

  std::optional<Bounds> bounds() const override { return std::nullopt; }

  void draw(const DrawContext& context) const override {
    const AxesTransform& t = context.transform;
    check(t.x_scale == Scale::logarithmic && t.y_scale == Scale::logarithmic,
          "slope guides: expected two logarithmic axes");
    // Pixels down per pixel to the right of a line of order 1.
    const double unit =
        t.box.height() / std::log(t.y.high / t.y.low) / t.box.width() * std::log(t.x.high / t.x.low);
    const double steepest = unit * orders_.back();
    const double width = std::min(kWidest * t.box.width(), kHighest * t.box.height() / steepest);
    const Point hub{t.box.left + kMargin, t.box.bottom - kMargin - steepest * width};
    TextStyle style = tick_style(context.theme);
    style.colour = context.theme.muted;
    style.vertical = VerticalAlign::middle;
    double above = -INFINITY;
    for (const double order : orders_) {
      const Point end{hub.x + width, hub.y + order * unit * width};
      context.canvas.segments({{hub, end}}, {.colour = context.theme.muted, .width = 1.2});
      // Labels give way downwards where slopes are close.
      above = std::max(end.y, above + kBetweenLabels);
      context.canvas.text(fmt::format("order {}", format_number(order)), {end.x + 5, above}, style);
    }
  }

 private:
  std::vector<double> orders_;  // rising
};

}  // namespace

void add_slope_guides(Axes& axes, const std::vector<double>& orders) {
  std::vector<double> rising = orders;
  std::sort(rising.begin(), rising.end());
  rising.erase(std::unique(rising.begin(), rising.end()), rising.end());
  if (rising.empty()) return;
  check(rising.front() > 0 && std::isfinite(rising.back()),
        "slope guides: expected finite orders > 0 but received {}", rising.front());
  axes.add(std::make_shared<SlopeGuides>(std::move(rising)));
}

}  // namespace fokker::plot
