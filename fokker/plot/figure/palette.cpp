#include "fokker/plot/figure/palette.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker::plot {
namespace {

using Channels = std::array<double, 3>;

struct WeightedColour {
  Channels value;
  double weight;
  size_t place;  // among the known colours
};

/// A range of the colours, split along the channel in which it spreads most.
struct Box {
  size_t begin, end;
  int channel = 0;
  double mean = 0;    // in that channel
  double spread = 0;  // weighted sum of squared distances from the mean
};

Channels channels_of(uint32_t colour) {
  return {static_cast<double>(colour >> 16 & 255), static_cast<double>(colour >> 8 & 255),
          static_cast<double>(colour & 255)};
}

Box make_box(const std::vector<WeightedColour>& colours, size_t begin, size_t end) {
  Box box{begin, end};
  for (int channel = 0; channel < 3; ++channel) {
    const auto c = static_cast<size_t>(channel);
    double weight = 0, sum = 0, squares = 0;
    for (size_t i = begin; i < end; ++i) {
      const auto& [value, w, place] = colours[i];
      weight += w;
      sum += w * value[c];
      squares += w * value[c] * value[c];
    }
    const double mean = sum / weight, spread = squares - mean * sum;
    if (channel == 0 || spread > box.spread) {
      box.channel = channel;
      box.mean = mean;
      box.spread = spread;
    }
  }
  return box;
}

std::vector<Box> divide(std::vector<WeightedColour>& colours, size_t most) {
  const auto less = [](const Box& a, const Box& b) { return a.spread < b.spread; };
  std::vector<Box> boxes{make_box(colours, 0, colours.size())};
  while (boxes.size() < most) {
    std::pop_heap(boxes.begin(), boxes.end(), less);
    const Box box = boxes.back();
    const auto at = [&](size_t i) { return colours.begin() + static_cast<std::ptrdiff_t>(i); };
    const auto middle = std::partition(at(box.begin), at(box.end), [&](const WeightedColour& colour) {
      return colour.value[static_cast<size_t>(box.channel)] <= box.mean;
    });
    const auto split = static_cast<size_t>(middle - colours.begin());
    // What is left is single colours, told apart by rounding alone.
    if (split == box.begin || split == box.end) break;
    boxes.back() = make_box(colours, box.begin, split);
    std::push_heap(boxes.begin(), boxes.end(), less);
    boxes.push_back(make_box(colours, split, box.end));
    std::push_heap(boxes.begin(), boxes.end(), less);
  }
  return boxes;
}

uint32_t mean_colour(const std::vector<WeightedColour>& colours, const Box& box) {
  Channels sum{};
  double weight = 0;
  for (size_t i = box.begin; i < box.end; ++i) {
    weight += colours[i].weight;
    for (size_t c = 0; c < 3; ++c) sum[c] += colours[i].weight * colours[i].value[c];
  }
  const auto level = [&](size_t c) { return static_cast<uint32_t>(std::lround(sum[c] / weight)); };
  return level(0) << 16 | level(1) << 8 | level(2);
}

}  // namespace

Palette::Palette(std::vector<uint32_t> pixels, size_t most) {
  check(most >= 1 && most <= 256, "Palette: expected between 1 and 256 colours but received {}", most);
  check(!pixels.empty(), "Palette: expected at least one pixel");
  std::sort(pixels.begin(), pixels.end());
  std::vector<WeightedColour> colours;
  for (size_t first = 0; first < pixels.size();) {
    const auto end =
        std::upper_bound(pixels.begin() + static_cast<std::ptrdiff_t>(first), pixels.end(), pixels[first]);
    const auto next = static_cast<size_t>(end - pixels.begin());
    colours.push_back(
        {channels_of(pixels[first]), std::sqrt(static_cast<double>(next - first)), known_.size()});
    known_.push_back(pixels[first]);
    first = next;
  }
  index_.resize(known_.size());
  if (known_.size() <= most) {
    colours_ = known_;
    for (size_t i = 0; i < index_.size(); ++i) index_[i] = static_cast<uint8_t>(i);
    return;
  }
  for (const Box& box : divide(colours, most)) {
    for (size_t i = box.begin; i < box.end; ++i)
      index_[colours[i].place] = static_cast<uint8_t>(colours_.size());
    colours_.push_back(mean_colour(colours, box));
  }
}

uint8_t Palette::index_of(uint32_t colour) const {
  const auto found = std::lower_bound(known_.begin(), known_.end(), colour);
  check(found != known_.end() && *found == colour,
        "Palette: expected a colour of its pixels but received {:06x}", colour);
  return index_[static_cast<size_t>(found - known_.begin())];
}

}  // namespace fokker::plot
