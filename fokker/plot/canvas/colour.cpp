#include "fokker/plot/canvas/colour.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fokker/core/check.h"

namespace fokker::plot {
namespace {

double to_linear(double component) {
  return component <= 0.04045 ? component / 12.92 : std::pow((component + 0.055) / 1.055, 2.4);
}

double from_linear(double component) {
  return component <= 0.0031308 ? 12.92 * component : 1.055 * std::pow(component, 1 / 2.4) - 0.055;
}

struct Oklab {
  double lightness;
  double a;
  double b;
};

// The two matrices are those of Ottosson's article.
Oklab to_oklab(Colour colour) {
  const double r = to_linear(colour.red), g = to_linear(colour.green), b = to_linear(colour.blue);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

std::array<double, 3> linear_rgb(Oklab lab) {
  const double l = std::pow(lab.lightness + 0.3963377774 * lab.a + 0.2158037573 * lab.b, 3);
  const double m = std::pow(lab.lightness - 0.1055613458 * lab.a - 0.0638541728 * lab.b, 3);
  const double s = std::pow(lab.lightness - 0.0894841775 * lab.a - 1.2914855480 * lab.b, 3);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

Colour from_oklab(Oklab lab) {
  const auto [r, g, b] = linear_rgb(lab);
  return {from_linear(std::clamp(r, 0.0, 1.0)), from_linear(std::clamp(g, 0.0, 1.0)),
          from_linear(std::clamp(b, 0.0, 1.0)), 1};
}

bool displayable(Oklab lab) {
  const auto rgb = linear_rgb(lab);
  return std::all_of(rgb.begin(), rgb.end(), [](double c) { return c >= 0 && c <= 1; });
}

/// The colour of given lightness and hue (degrees), as vivid as `chroma` and the screen allow.
Colour from_hue(double lightness, double chroma, double hue) {
  const double angle = hue * std::numbers::pi / 180;
  auto at = [&](double c) { return Oklab{lightness, c * std::cos(angle), c * std::sin(angle)}; };
  while (chroma > 0 && !displayable(at(chroma))) chroma -= 0.002;
  return from_oklab(at(std::max(chroma, 0.0)));
}

}  // namespace

double luminance(Colour colour) {
  return 0.2126 * to_linear(colour.red) + 0.7152 * to_linear(colour.green) + 0.0722 * to_linear(colour.blue);
}

double contrast(Colour a, Colour b) {
  const double light = std::max(luminance(a), luminance(b)), dark = std::min(luminance(a), luminance(b));
  return (light + 0.05) / (dark + 0.05);
}

Colour mix(Colour a, Colour b, double t) {
  const Oklab from = to_oklab(a), to = to_oklab(b);
  Colour mixed = from_oklab(
      {std::lerp(from.lightness, to.lightness, t), std::lerp(from.a, to.a, t), std::lerp(from.b, to.b, t)});
  mixed.alpha = std::lerp(a.alpha, b.alpha, t);
  return mixed;
}

ColourMap::ColourMap(const std::vector<Colour>& controls) {
  check(controls.size() >= 2, "ColourMap: expected at least 2 control colours but received {}",
        controls.size());
  const auto last = static_cast<double>(controls.size() - 1);
  for (size_t i = 0; i < table_.size(); ++i) {
    const double position = last * static_cast<double>(i) / static_cast<double>(table_.size() - 1);
    const size_t left = std::min(static_cast<size_t>(position), controls.size() - 2);
    table_[i] = mix(controls[left], controls[left + 1], position - static_cast<double>(left));
  }
}

ColourMap ColourMap::sequential() {
  std::vector<Colour> controls;
  for (int i = 0; i <= 8; ++i) {
    const double t = i / 8.0;
    controls.push_back(from_hue(std::lerp(0.24, 0.93, t), std::lerp(0.11, 0.17, t), std::lerp(305, 103, t)));
  }
  return ColourMap(controls);
}

ColourMap ColourMap::middle() {
  const ColourMap full = sequential();
  std::vector<Colour> controls;
  for (int i = 0; i <= 8; ++i) controls.push_back(full(std::lerp(0.3, 0.8, i / 8.0)));
  return ColourMap(controls);
}

ColourMap ColourMap::diverging() {
  std::vector<Colour> controls;
  for (int i = 0; i <= 8; ++i) {
    const double side = i / 4.0 - 1;
    controls.push_back(from_hue(0.95 - 0.5 * std::abs(side), 0.16 * std::abs(side), side < 0 ? 255 : 25));
  }
  return ColourMap(controls);
}

Colour ColourMap::operator()(double t) const {
  const double position = std::clamp(t, 0.0, 1.0) * static_cast<double>(table_.size() - 1);
  const size_t left = std::min(static_cast<size_t>(position), table_.size() - 2);
  const double f = position - static_cast<double>(left);
  const Colour &a = table_[left], &b = table_[left + 1];
  // Neighbours in the table are so close that a straight line in sRGB is as good as one in Oklab.
  return {std::lerp(a.red, b.red, f), std::lerp(a.green, b.green, f), std::lerp(a.blue, b.blue, f), 1};
}

}  // namespace fokker::plot
