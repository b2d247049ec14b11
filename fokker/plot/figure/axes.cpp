#include "fokker/plot/figure/axes.h"

#include "fokker/core/error.h"

namespace fokker::plot {
namespace {

Range limits_of(const char* name, const Axis& axis, std::optional<Range> data, bool pad_low, bool pad_high) {
  if (axis.limits) {
    check_limits(name, *axis.limits, axis.scale);
    return *axis.limits;
  }
  if (!data) return axis.scale == Scale::linear ? Range{0, 1} : Range{1, 10};
  Range limits = padded_limits(*data, axis.scale, kPadding);
  if (data->span() > 0) {
    if (!pad_low) limits.low = data->low;
    if (!pad_high) limits.high = data->high;
  }
  check_limits(name, limits, axis.scale);
  return limits;
}

}  // namespace

SeriesColour Axes::next_colour(std::optional<SeriesColour> given) {
  return given ? *given : SeriesColour(series_++);
}

std::optional<Bounds> Axes::bounds() const {
  std::optional<Bounds> all;
  for (const auto& mark : marks_) {
    const auto one = mark->bounds();
    if (!one) continue;
    if (!all) {
      all = one;
      continue;
    }
    // The mark that reaches furthest decides whether its edge is padded.
    all->pad_y_low = one->y.low < all->y.low ? one->pad_y_low
                                             : all->pad_y_low && (one->y.low > all->y.low || one->pad_y_low);
    all->pad_y_high = one->y.high > all->y.high ? one->pad_y_high : all->pad_y_high;
    all->pad_x = all->pad_x && one->pad_x;
    all->x = hull(all->x, one->x);
    all->y = hull(all->y, one->y);
  }
  return all;
}

Range Axes::x_limits() const {
  const auto all = bounds();
  return limits_of("x", x, all ? std::optional(all->x) : std::nullopt, !all || all->pad_x,
                   !all || all->pad_x);
}

Range Axes::y_limits() const {
  const auto all = bounds();
  return limits_of("y", y, all ? std::optional(all->y) : std::nullopt, !all || all->pad_y_low,
                   !all || all->pad_y_high);
}

std::vector<LegendEntry> Axes::legend_entries() const {
  std::vector<LegendEntry> entries;
  for (const auto& mark : marks_)
    if (auto entry = mark->legend(); entry && !entry->label.empty()) entries.push_back(std::move(*entry));
  return entries;
}

std::optional<ColourScale> Axes::colour_scale(const Theme& theme) const {
  for (const auto& mark : marks_)
    if (auto scale = mark->colour_scale(theme)) return scale;
  return std::nullopt;
}

}  // namespace fokker::plot
