#include "fokker/plot/figure/figure.h"

#include <algorithm>
#include <cctype>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/plot/figure/draw_panel.h"
#include "fokker/plot/figure/label.h"

namespace fokker::plot {

ImageFormat image_format(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".png") return ImageFormat::png;
  if (extension == ".svg") return ImageFormat::svg;
  if (extension == ".pdf") return ImageFormat::pdf;
  fail(ErrorKind::argument, "Figure: expected a file name ending in .png, .svg or .pdf but received {}",
       path.string());
}

Figure::Figure(FigureOptions options) : options_(std::move(options)) {
  constexpr int most = 64;
  check(options_.rows >= 1 && options_.columns >= 1 && options_.rows <= most && options_.columns <= most,
        "Figure: expected between 1 and {} rows and columns of panels but received {} x {}", most,
        options_.rows, options_.columns);
  check(options_.width > 0 && options_.height > 0, "Figure: expected a positive size but received {} x {}",
        options_.width, options_.height);
  panels_.resize(static_cast<size_t>(options_.rows) * static_cast<size_t>(options_.columns));
}

size_t Figure::index(int row, int column) const {
  check(row >= 0 && row < options_.rows && column >= 0 && column < options_.columns,
        "Figure: expected a panel of the {} x {} grid but received row {}, column {}", options_.rows,
        options_.columns, row, column);
  return static_cast<size_t>(row) * static_cast<size_t>(options_.columns) + static_cast<size_t>(column);
}

Axes& Figure::axes(int row, int column) {
  return panels_[index(row, column)];
}
const Axes& Figure::axes(int row, int column) const {
  return panels_[index(row, column)];
}

FigureLayout Figure::layout() const {
  Canvas measure(ImageFormat::png, 1, 1);
  return lay_out_figure(options_, panels_, measure);
}

std::string Figure::description() const {
  std::string text;
  for (const Axes& axes : panels_) {
    std::vector<std::string> parts{axes.title, axes.x.label, axes.y.label};
    for (const LegendEntry& entry : axes.legend_entries()) parts.push_back(entry.label);
    for (const std::string& part : parts)
      if (!part.empty()) text += (text.empty() ? "" : "; ") + plain_label(part);
  }
  return text;
}

Canvas Figure::draw(ImageFormat format) const {
  const FigureLayout place = layout();
  Canvas canvas(format, options_.width, options_.height, options_.pixel_ratio);
  canvas.describe(plain_label(options_.title.empty() ? panels_.front().title : options_.title),
                  description());
  canvas.fill(Rect{0, 0, static_cast<double>(options_.width), static_cast<double>(options_.height)},
              options_.theme.background);
  if (!options_.title.empty()) {
    auto title = canvas.fit(options_.title, title_style(options_.theme), place.page.width());
    title.style.horizontal = HorizontalAlign::centre;
    title.style.vertical = VerticalAlign::top;
    canvas.text(title.label, {place.page.centre().x, spacing::page}, title.style);
  }
  draw_legend(canvas, place.legend, {place.page.centre().x, place.legend_top}, options_.theme);
  for (size_t i = 0; i < panels_.size(); ++i) draw_panel(canvas, panels_[i], place.panels[i], options_.theme);
  return canvas;
}

std::string Figure::encode(ImageFormat format) const try { return draw(format).finish(); } catch (...) {
  detail::throw_as_error();
}

void Figure::save(const std::filesystem::path& path) const try {
  write_file_atomically(path, encode(image_format(path)));
} catch (...) {
  detail::throw_as_error();
}

Tensor Figure::render() const {
  return draw(ImageFormat::png).pixels();
}

}  // namespace fokker::plot
