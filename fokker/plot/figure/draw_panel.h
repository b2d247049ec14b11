#pragma once
#include "fokker/plot/figure/layout.h"

namespace fokker::plot {

/// Draws grid, marks, frame, ticks and texts of one panel.
void draw_panel(Canvas& canvas, const Axes& axes, const PanelLayout& panel, const Theme& theme);

/// Draws a legend in rows centred below the point `top`.
void draw_legend(Canvas& canvas, const LegendLayout& legend, Point top, const Theme& theme);

}  // namespace fokker::plot
