#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/plot/canvas/colour.h"
#include "fokker/plot/canvas/geometry.h"

namespace fokker::plot {

/// The most pixels a side that a page may have.
inline constexpr int kLargestSide = 30000;

enum class ImageFormat { png, svg, pdf };

enum class HorizontalAlign { left, centre, right };
enum class VerticalAlign { top, middle, baseline, bottom };

struct TextStyle {
  double size = 12;  ///< pixels
  Colour colour = {};
  bool bold = false;
  HorizontalAlign horizontal = HorizontalAlign::left;
  VerticalAlign vertical = VerticalAlign::baseline;
  bool upwards = false;  ///< turned a quarter to the left
};

/// The room that a label takes, in pixels from its baseline.
struct TextSize {
  double width = 0;
  double ascent = 0;
  double descent = 0;
  double height() const { return ascent + descent; }
};

/// How a line is broken: together with its colour, what tells it from others.
enum class Dash { solid, dashed, dotted, dash_dot };

struct Stroke {
  Colour colour = {};
  double width = 1;
  Dash dash = Dash::solid;
};

/// A grid of colours, row 0 on top, to be put on the page as one image.
class Raster {
 public:
  Raster(int width, int height);
  int width() const { return width_; }
  int height() const { return height_; }
  void set(int column, int row, Colour colour);
  const std::vector<uint32_t>& pixels() const { return pixels_; }  ///< ARGB, premultiplied

 private:
  int width_;
  int height_;
  std::vector<uint32_t> pixels_ = {};
};

/// A page to draw on: the same calls make a PNG, an SVG or a PDF. Lengths are pixels, y grows downwards.
class Canvas {
 public:
  /// `pixel_ratio` is the number of device pixels per pixel of a PNG.
  Canvas(ImageFormat format, int width, int height, double pixel_ratio = 1);
  ~Canvas();
  Canvas(Canvas&&) noexcept;
  Canvas& operator=(Canvas&&) noexcept;

  void fill(const Rect& rect, Colour colour);
  void outline(const Rect& rect, const Stroke& stroke);
  void fill(const std::vector<Point>& polygon, Colour colour);
  void line(const std::vector<Point>& points, const Stroke& stroke);
  void segments(const std::vector<Segment>& segments, const Stroke& stroke);
  /// Discs drawn one over another, so that alpha accumulates.
  void discs(const std::vector<Point>& centres, double radius, Colour colour);
  void image(const Raster& raster, const Rect& place);

  /// Draws the markup of `parse_label` at `anchor`.
  void text(std::string_view label, Point anchor, const TextStyle& style);
  TextSize measure(std::string_view label, const TextStyle& style);
  /// The label, set smaller and in the end cut with an ellipsis, so that it is at most `width` wide.
  struct FittedText {
    std::string label;
    TextStyle style;
  };
  FittedText fit(std::string_view label, TextStyle style, double width);

  /// Restricts drawing to a rectangle until `unclip`.
  void clip(const Rect& rect);
  void unclip();

  /// How many samples a pixel is worth in an image drawn here: the pixel ratio, or 2 in vector formats.
  double resolution() const;
  ImageFormat format() const;

  /// Title and description for readers that do not see the picture (SVG and PDF).
  void describe(const std::string& title, const std::string& description);

  /// Ends drawing and returns the bytes of the file.
  std::string finish();
  /// The picture so far, uint8 (3, height, width). Only for PNG.
  Tensor pixels() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fokker::plot
