#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fokker::plot {

/// A colour in sRGB, components in [0, 1]; alpha 1 is opaque.
struct Colour {
  double red = 0;
  double green = 0;
  double blue = 0;
  double alpha = 1;

  /// From 0xRRGGBB.
  static constexpr Colour hex(uint32_t rgb) {
    return {((rgb >> 16) & 255) / 255.0, ((rgb >> 8) & 255) / 255.0, (rgb & 255) / 255.0, 1};
  }
  Colour with_alpha(double value) const { return {red, green, blue, value}; }
  bool operator==(const Colour&) const = default;
};

/// Relative luminance of WCAG 2.1 in [0, 1]: 0.2126 R + 0.7152 G + 0.0722 B in linear light.
double luminance(Colour colour);

/// Contrast ratio of WCAG 2.1, between 1 and 21.
double contrast(Colour a, Colour b);

/// The colour a fraction t from a to b in Oklab (B. Ottosson, "A perceptual color space for image
/// processing", 2020), where equal steps look equal.
Colour mix(Colour a, Colour b, double t);

/// A smooth map from [0, 1] to colours, interpolated in Oklab between evenly spaced control colours.
class ColourMap {
 public:
  /// At least two control colours.
  explicit ColourMap(const std::vector<Colour>& controls);

  /// From dark violet over blue and green to yellow; lightness rises evenly, so that it also reads in grey.
  static ColourMap sequential();
  /// The middle part of it, which stands out from light and from dark backgrounds.
  static ColourMap middle();
  /// From blue over a light grey to red, for values with a meaningful middle.
  static ColourMap diverging();

  /// The colour at `t`, clamped to [0, 1].
  Colour operator()(double t) const;

 private:
  std::array<Colour, 256> table_;
};

}  // namespace fokker::plot
