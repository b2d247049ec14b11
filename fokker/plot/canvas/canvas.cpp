#include "fokker/plot/canvas/canvas.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/plot/canvas/canvas_state.h"
#include "fokker/plot/figure/label.h"

namespace fokker::plot {
namespace {

void check_status(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  fail(status == CAIRO_STATUS_NO_MEMORY ? ErrorKind::resource : ErrorKind::failed,
       "Canvas: drawing failed: {}", cairo_status_to_string(status));
}

cairo_status_t append_bytes(void* target, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

cairo_surface_t* make_surface(ImageFormat format, int width, int height, double ratio, std::string& bytes) {
  constexpr double points_per_pixel = 0.75;
  if (format == ImageFormat::pdf)
    return cairo_pdf_surface_create_for_stream(append_bytes, &bytes, width * points_per_pixel,
                                               height * points_per_pixel);
  if (format == ImageFormat::svg) {
    cairo_surface_t* surface = cairo_svg_surface_create_for_stream(append_bytes, &bytes, width, height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    return surface;
  }
  return cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::lround(width * ratio)),
                                    static_cast<int>(std::lround(height * ratio)));
}

void set_colour(cairo_t* context, Colour c) {
  cairo_set_source_rgba(context, c.red, c.green, c.blue, c.alpha);
}

/// Lengths of strokes and gaps in turn; none for a solid line.
std::vector<double> dash_pattern(Dash dash, double width) {
  switch (dash) {
    case Dash::dashed:
      return {4 * width, 3 * width};
    case Dash::dotted:
      return {1.2 * width, 1.8 * width};
    case Dash::dash_dot:
      return {5 * width, 2 * width, 1.2 * width, 2 * width};
    case Dash::solid:
      break;
  }
  return {};
}

void set_stroke(cairo_t* context, const Stroke& stroke) {
  set_colour(context, stroke.colour);
  cairo_set_line_width(context, stroke.width);
  const std::vector<double> pattern = dash_pattern(stroke.dash, stroke.width);
  cairo_set_dash(context, pattern.data(), static_cast<int>(pattern.size()), 0);
}

void add_rectangle(cairo_t* context, const Rect& rect) {
  cairo_rectangle(context, rect.left, rect.top, rect.width(), rect.height());
}

void add_path(cairo_t* context, const std::vector<Point>& points) {
  cairo_new_path(context);
  for (const Point& p : points) cairo_line_to(context, p.x, p.y);
}

uint32_t byte_of(double component) {
  return static_cast<uint32_t>(std::lround(std::clamp(component, 0.0, 1.0) * 255));
}

/// Cairo numbers surfaces and images over the whole process. Numbered by the order in which they first appear
/// in the file, a picture's bytes do not depend on what else was drawn.
std::string with_own_numbers(const std::string& svg) {
  constexpr std::string_view names[] = {"\"surface", "\"image", "\"#surface", "\"#image"};
  std::map<std::string, size_t> numbers;
  std::string text;
  size_t done = 0;
  for (size_t quote = svg.find('"'); quote != std::string::npos; quote = svg.find('"', quote + 1))
    for (const std::string_view name : names) {
      if (svg.compare(quote, name.size(), name) != 0) continue;
      const size_t begin = quote + name.size(), end = svg.find_first_not_of("0123456789", begin);
      if (end == begin || end == std::string::npos || svg[end] != '"') continue;
      const size_t number = numbers.emplace(svg.substr(begin, end - begin), numbers.size() + 1).first->second;
      text.append(svg, done, begin - done).append(std::to_string(number));
      done = end;
    }
  return text.append(svg, done, std::string::npos);
}

/// Title and description as the first children of the root, where readers look for them.
void insert_description(std::string& svg, const std::string& title, const std::string& description) {
  const size_t root = svg.find("<svg");
  const size_t end = root == std::string::npos ? root : svg.find('>', root);
  if (end == std::string::npos) return;
  std::string text;
  if (!title.empty()) text += "\n<title>" + escape_xml(title) + "</title>";
  if (!description.empty()) text += "\n<desc>" + escape_xml(description) + "</desc>";
  svg.insert(end + 1, text);
}

}  // namespace

Raster::Raster(int width, int height)
    : width_(width), height_(height), pixels_(static_cast<size_t>(width) * static_cast<size_t>(height)) {}

void Raster::set(int column, int row, Colour c) {
  pixels_[static_cast<size_t>(row) * static_cast<size_t>(width_) + static_cast<size_t>(column)] =
      byte_of(c.alpha) << 24 | byte_of(c.red * c.alpha) << 16 | byte_of(c.green * c.alpha) << 8 |
      byte_of(c.blue * c.alpha);
}

Canvas::Canvas(ImageFormat format, int width, int height, double pixel_ratio)
    : state_(std::make_unique<State>()) {
  check(width > 0 && height > 0, "Canvas: expected a positive size but received {} x {}", width, height);
  check(pixel_ratio > 0 && std::isfinite(pixel_ratio),
        "Canvas: expected a positive pixel ratio but received {}", pixel_ratio);
  check(width * pixel_ratio <= kLargestSide && height * pixel_ratio <= kLargestSide,
        "Canvas: expected at most {} pixels a side but received {} x {}", kLargestSide, width * pixel_ratio,
        height * pixel_ratio);
  state_->format = format;
  state_->ratio = pixel_ratio;
  state_->surface.reset(make_surface(format, width, height, pixel_ratio, state_->bytes));
  check_status(cairo_surface_status(state_->surface.get()));
  state_->context.reset(cairo_create(state_->surface.get()));
  check_status(cairo_status(state_->context.get()));
  const double scale = format == ImageFormat::png ? pixel_ratio : format == ImageFormat::pdf ? 0.75 : 1.0;
  cairo_scale(state_->context.get(), scale, scale);
  cairo_set_line_join(state_->context.get(), CAIRO_LINE_JOIN_ROUND);
  set_font_options(state_->context.get());
}

Canvas::~Canvas() = default;
Canvas::Canvas(Canvas&&) noexcept = default;
Canvas& Canvas::operator=(Canvas&&) noexcept = default;

void Canvas::fill(const Rect& rect, Colour colour) {
  cairo_t* context = state_->context.get();
  cairo_new_path(context);
  set_colour(context, colour);
  add_rectangle(context, rect);
  cairo_fill(context);
}

void Canvas::outline(const Rect& rect, const Stroke& stroke) {
  cairo_t* context = state_->context.get();
  cairo_new_path(context);
  set_stroke(context, stroke);
  add_rectangle(context, rect);
  cairo_stroke(context);
}

void Canvas::fill(const std::vector<Point>& polygon, Colour colour) {
  cairo_t* context = state_->context.get();
  add_path(context, polygon);
  cairo_close_path(context);
  set_colour(context, colour);
  cairo_fill(context);
}

void Canvas::line(const std::vector<Point>& points, const Stroke& stroke) {
  cairo_t* context = state_->context.get();
  add_path(context, points);
  set_stroke(context, stroke);
  cairo_stroke(context);
}

void Canvas::segments(const std::vector<Segment>& segments, const Stroke& stroke) {
  cairo_t* context = state_->context.get();
  cairo_new_path(context);
  for (const Segment& segment : segments) {
    cairo_move_to(context, segment.from.x, segment.from.y);
    cairo_line_to(context, segment.to.x, segment.to.y);
  }
  set_stroke(context, stroke);
  cairo_stroke(context);
}

void Canvas::discs(const std::vector<Point>& centres, double radius, Colour colour) {
  cairo_t* context = state_->context.get();
  set_colour(context, colour);
  for (const Point& centre : centres) {
    cairo_new_path(context);
    cairo_arc(context, centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
    cairo_fill(context);
  }
}

void Canvas::image(const Raster& raster, const Rect& place) {
  std::vector<uint32_t> pixels = raster.pixels();
  const SurfacePointer surface(cairo_image_surface_create_for_data(
      reinterpret_cast<unsigned char*>(pixels.data()), CAIRO_FORMAT_ARGB32, raster.width(), raster.height(),
      cairo_format_stride_for_width(CAIRO_FORMAT_ARGB32, raster.width())));
  check_status(cairo_surface_status(surface.get()));
  cairo_t* context = state_->context.get();
  cairo_save(context);
  cairo_translate(context, place.left, place.top);
  cairo_scale(context, place.width() / raster.width(), place.height() / raster.height());
  cairo_set_source_surface(context, surface.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST);
  cairo_rectangle(context, 0, 0, raster.width(), raster.height());
  cairo_fill(context);
  cairo_restore(context);
  // `pixels` ends with this scope: a recording backend must take its copy now.
  cairo_surface_finish(surface.get());
}

void Canvas::clip(const Rect& rect) {
  cairo_t* context = state_->context.get();
  cairo_save(context);
  cairo_new_path(context);
  add_rectangle(context, rect);
  cairo_clip(context);
}

void Canvas::unclip() {
  cairo_restore(state_->context.get());
}

double Canvas::resolution() const {
  return state_->format == ImageFormat::png ? state_->ratio : 2.0;
}

ImageFormat Canvas::format() const {
  return state_->format;
}

void Canvas::describe(const std::string& title, const std::string& description) {
  state_->title = clean_text(title);
  state_->description = clean_text(description);
}

std::string Canvas::finish() {
  check_status(cairo_status(state_->context.get()));
  if (state_->format == ImageFormat::png) {
    check_status(cairo_surface_write_to_png_stream(state_->surface.get(), append_bytes, &state_->bytes));
    return std::move(state_->bytes);
  }
  if (state_->format == ImageFormat::pdf)
    cairo_pdf_surface_set_metadata(state_->surface.get(), CAIRO_PDF_METADATA_TITLE, state_->title.c_str());
  cairo_surface_finish(state_->surface.get());
  check_status(cairo_surface_status(state_->surface.get()));
  if (state_->format == ImageFormat::svg) {
    state_->bytes = with_own_numbers(state_->bytes);
    insert_description(state_->bytes, state_->title, state_->description);
  }
  return std::move(state_->bytes);
}

Tensor Canvas::pixels() const {
  check(state_->format == ImageFormat::png, "Canvas: expected a PNG canvas to read pixels from");
  check_status(cairo_status(state_->context.get()));
  cairo_surface_t* surface = state_->surface.get();
  cairo_surface_flush(surface);
  const int64_t height = cairo_image_surface_get_height(surface),
                width = cairo_image_surface_get_width(surface);
  const int64_t stride = cairo_image_surface_get_stride(surface);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  Tensor pixels = at::empty({3, height, width}, at::kByte);
  uint8_t* out = pixels.data_ptr<uint8_t>();
  for (int64_t row = 0; row < height; ++row) {
    const auto* words = reinterpret_cast<const uint32_t*>(data + row * stride);
    for (int64_t column = 0; column < width; ++column)
      for (int64_t channel = 0; channel < 3; ++channel)
        out[(channel * height + row) * width + column] =
            static_cast<uint8_t>(words[column] >> (16 - 8 * channel));
  }
  return pixels;
}

}  // namespace fokker::plot
