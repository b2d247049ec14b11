#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/encoding.h"
#include "fokker/core/text/json.h"
#include "fokker/plot/figure/label.h"
#include "fokker/plot/figure/ticks.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/report/html.h"
#include "fokker/report/page.h"

namespace fokker::report {
namespace {

constexpr uint16_t kOutside = 65535;
constexpr double kFinest = 65534;
constexpr int kIntervals = 6;

/// The place of a value in its limits as a 16-bit number, or `kOutside`.
uint16_t quantised(double value, plot::Range limits) {
  const double place = (value - limits.low) / limits.span();
  return place >= 0 && place <= 1 ? static_cast<uint16_t>(std::lround(place * kFinest)) : kOutside;
}

/// Points (n, 2) as pairs of such numbers, little-endian, in base64.
std::string packed(const Tensor& points, plot::Range x, plot::Range y) {
  if (!points.defined()) return {};
  const Tensor rows = points.detach().to(at::kCPU, at::kDouble).contiguous();
  check(rows.dim() == 2 && rows.size(1) == 2, "Page: expected points of shape (n, 2) but received {}",
        shape_string(rows));
  std::string bytes;
  const double* values = rows.data_ptr<double>();
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const uint16_t place = quantised(values[i], i % 2 == 0 ? x : y);
    bytes += static_cast<char>(place & 255);
    bytes += static_cast<char>(place >> 8);
  }
  return base64(bytes);
}

Json axis_json(const std::string& label, plot::Range limits) {
  const plot::Ticks ticks = plot::linear_ticks(limits, kIntervals);
  Json json = {{"label", plot::plain_label(label)}, {"ticks", Json::array()}};
  if (!ticks.common.empty()) json["label"] = plot::plain_label(label + " (" + ticks.common + ")");
  for (size_t i = 0; i < ticks.positions.size(); ++i)
    json["ticks"].push_back(
        {(ticks.positions[i] - limits.low) / limits.span(), plot::plain_label(ticks.labels[i])});
  return json;
}

std::string without_markup(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace))
    if (c == '<')
      text += "\\u003c";  // nothing in the data can end its <script>
    else
      text += c;
  return text;
}

}  // namespace

void Page::add_player(const Player& player, const Json& data) {
  const size_t count = player.labels.size();
  check(count > 1, "Page: expected a player of at least two frames but received {}", count);
  check(!player.alt.empty(), "Page: expected an alternative text for a player");
  const std::string last = std::to_string(count - 1);
  body_ += fmt::format(
      "<figure class=\"player{}\">\n<canvas role=\"img\" aria-label=\"{}\"></canvas>\n{}"
      "<div class=\"controls\" hidden><button type=\"button\">Play</button>"
      "<input type=\"range\" min=\"0\" max=\"{}\" step=\"1\" value=\"{}\" aria-label=\"{}\" "
      "autocomplete=\"off\">"
      "<output aria-live=\"off\"></output></div>\n"
      "<noscript><p class=\"note\">Playing the frames needs JavaScript.</p></noscript>\n",
      player.pixelated ? " pixelated" : "", escape(player.alt), player.legend, last, last,
      escape(player.control));
  if (!player.caption.empty())
    body_ += fmt::format("<figcaption>{}</figcaption>\n", escape_with_mathematics(player.caption));
  body_ += fmt::format("<script type=\"application/json\">{}</script>\n</figure>\n", without_markup(data));
  scripted_ = true;
}

Page& Page::player(const PointFrames& p) {
  check(p.frames.defined() && p.frames.dim() == 3 && p.frames.size(2) == 2,
        "Page: expected frames of points, (k, n, 2), but received {}",
        p.frames.defined() ? shape_string(p.frames) : "nothing");
  check(p.frames.size(0) == static_cast<int64_t>(p.labels.size()),
        "Page: expected one label for each of {} frames but received {}", p.frames.size(0), p.labels.size());
  plot::check_limits("x", p.x_limits, plot::Scale::linear);
  plot::check_limits("y", p.y_limits, plot::Scale::linear);
  const int64_t n = p.frames.size(1);
  Json data = {{"labels", p.labels},
               {"x", axis_json(p.x_label, p.x_limits)},
               {"y", axis_json(p.y_label, p.y_limits)},
               {"aspect", p.aspect},
               {"radius", std::min(3.0, plot::scatter_radius(n))},
               {"alpha", plot::scatter_alpha(n)},
               {"reference", packed(p.reference, p.x_limits, p.y_limits)},
               {"frames", Json::array()}};
  for (int64_t k = 0; k < p.frames.size(0); ++k)
    data["frames"].push_back(packed(p.frames[k], p.x_limits, p.y_limits));
  std::string legend = fmt::format("<p class=\"legend\"><span class=\"samples\">{}</span>", escape(p.name));
  if (p.reference.defined()) legend += fmt::format("<span>{}</span>", escape(p.reference_name));
  add_player({p.alt, p.control, p.labels, p.caption, legend + "</p>\n", false}, data);
  return *this;
}

Page& Page::player(const PictureFrames& p) {
  check(p.frames.size() == p.labels.size(), "Page: expected one label for each of {} frames but received {}",
        p.frames.size(), p.labels.size());
  check(!p.frames.empty(), "Page: expected a player of at least two frames but received none");
  const Picture& first = p.frames.front();
  Json data = {{"labels", p.labels},           {"width", first.width},   {"height", first.height},
               {"pixelated", first.pixelated}, {"light", Json::array()}, {"dark", Json::array()}};
  for (const Picture& frame : p.frames) {
    note_source(frame.light);
    data["light"].push_back(frame.light);
    if (first.dark.empty()) continue;
    note_source(frame.dark);
    data["dark"].push_back(frame.dark);
  }
  add_player({p.alt, p.control, p.labels, p.caption, "", first.pixelated}, data);
  return *this;
}

}  // namespace fokker::report
