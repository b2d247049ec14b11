#include "fokker/plot/figure/theme.h"

#include "fokker/core/check.h"

namespace fokker::plot {

Theme Theme::light() {
  Theme theme;
  theme.background = Colour::hex(0xffffff);
  theme.text = Colour::hex(0x1d2127);
  theme.muted = Colour::hex(0x7d858f);
  theme.grid = Colour::hex(0xe7eaee);
  theme.emphasis = Colour::hex(0x0a1430);
  for (size_t i = 0;
       const uint32_t rgb : {0x2668b0, 0xd9660f, 0x22885a, 0xc23a4b, 0x7d52b3, 0x0f8391, 0xb34a8c, 0x6b6a2c})
    theme.palette[i++] = Colour::hex(rgb);
  return theme;
}

Theme Theme::dark() {
  Theme theme;
  theme.background = Colour::hex(0x14171c);
  theme.text = Colour::hex(0xe8eaee);
  theme.muted = Colour::hex(0x8b939e);
  theme.grid = Colour::hex(0x2a2f37);
  theme.emphasis = Colour::hex(0xf7fbff);
  for (size_t i = 0;
       const uint32_t rgb : {0x5aa2ec, 0xf2994a, 0x4cc38a, 0xf0717e, 0xb18cf0, 0x3fc3d1, 0xe886c0, 0xc5c264})
    theme.palette[i++] = Colour::hex(rgb);
  return theme;
}

ColourMap shading(const Theme& theme, double part) {
  check(part > 0 && part <= 1, "shading: expected a part in (0, 1] but received {}", part);
  const Colour strong = theme.series(0), most = mix(strong, theme.emphasis, 0.7);
  std::vector<Colour> controls;
  for (int i = 0; i <= 8; ++i) {
    const double t = part * i / 8;
    controls.push_back(t < 0.6 ? mix(theme.background, strong, t / 0.6) : mix(strong, most, (t - 0.6) / 0.4));
  }
  return ColourMap(controls);
}

}  // namespace fokker::plot
