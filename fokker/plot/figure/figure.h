#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fokker/plot/figure/axes.h"
#include "fokker/plot/figure/layout.h"
#include "fokker/plot/figure/theme.h"

namespace fokker::plot {

struct FigureOptions {
  int width = 640;  ///< pixels
  int height = 480;
  int rows = 1;  ///< panels
  int columns = 1;
  std::string title = {};
  std::vector<LegendEntry> legend = {};  ///< one legend for all panels, above them
  Theme theme = Theme::light();
  double panel_gap = 14;   ///< pixels between panels
  double pixel_ratio = 1;  ///< device pixels per pixel of a PNG; 2 for dense screens
};

/// A picture of one or more panels, as a description that can be drawn as PNG, SVG or PDF.
class Figure {
 public:
  explicit Figure(FigureOptions options = {});

  /// The panel of that row and column, from the top left; argument error where there is none.
  Axes& axes(int row = 0, int column = 0);
  const Axes& axes(int row = 0, int column = 0) const;

  const FigureOptions& options() const { return options_; }
  void set_theme(const Theme& theme) { options_.theme = theme; }
  /// Device pixels per pixel of a PNG.
  void set_pixel_ratio(double ratio) { options_.pixel_ratio = ratio; }

  /// Where everything will be drawn.
  FigureLayout layout() const;

  /// Writes .png, .svg or .pdf by the extension, whole or not at all.
  void save(const std::filesystem::path& path) const;
  /// The bytes of such a file.
  std::string encode(ImageFormat format) const;
  /// The numbers that it shows as CSV: panel, title, mark, label, curve, x, y, x2, y2, value (see MarkRow).
  std::string csv() const;
  /// The picture as pixels, uint8 (3, height, width), times the pixel ratio.
  Tensor render() const;

 private:
  size_t index(int row, int column) const;
  Canvas draw(ImageFormat format) const;
  std::string description() const;
  FigureOptions options_;
  std::vector<Axes> panels_ = {};
};

/// The format that a file name asks for; argument error that lists the known ones.
ImageFormat image_format(const std::filesystem::path& path);

}  // namespace fokker::plot
