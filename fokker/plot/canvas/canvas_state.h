#pragma once
// Inside of Canvas, shared by canvas.cpp and canvas_text.cpp; cairo stays out of the public headers.
#include <cairo.h>

#include <memory>
#include <string>

#include "fokker/plot/canvas/canvas.h"

namespace fokker::plot {

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct ContextDeleter {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
using SurfacePointer = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;
using ContextPointer = std::unique_ptr<cairo_t, ContextDeleter>;

struct Canvas::State {
  ImageFormat format = ImageFormat::png;
  double ratio = 1;
  std::string bytes;  // before `surface`, which writes to it until it is destroyed
  SurfacePointer surface;
  ContextPointer context;
  std::string title;
  std::string description;
};

/// Text measures the same in every format and at every pixel ratio.
void set_font_options(cairo_t* context);

}  // namespace fokker::plot
