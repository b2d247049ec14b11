#pragma once
#include <array>

#include "fokker/plot/canvas/colour.h"

namespace fokker::plot {

/// Colours and text sizes (pixels) of a figure.
struct Theme {
  Colour background;
  Colour text;
  Colour muted;  ///< frames and ticks
  Colour grid;
  Colour emphasis;  ///< where a density is highest: away from the background
  std::array<Colour, 8> palette;
  double title_size = 16;
  double panel_title_size = 13.5;
  double label_size = 13;
  double tick_size = 11.5;

  static Theme light();
  static Theme dark();

  Colour series(size_t index) const { return palette[index % palette.size()]; }
};

/// A colour map for densities: nothing is the theme's background, much its first colour and then its
/// emphasis. `part` in (0, 1] ends it earlier, as a ground on which other marks stand out.
ColourMap shading(const Theme& theme, double part = 1);

}  // namespace fokker::plot
