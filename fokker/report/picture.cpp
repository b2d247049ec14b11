#include "fokker/core/check.h"
#include "fokker/core/text/encoding.h"
#include "fokker/image/image.h"
#include "fokker/report/html.h"
#include "fokker/report/page.h"

namespace fokker::report {
namespace {

constexpr double kDense = 2;  // device pixels per pixel of a PNG

std::string data_uri(const char* type, const std::string& bytes) {
  return fmt::format("data:image/{};base64,{}", type, base64(bytes));
}

std::string drawn(const DrawFigure& draw, const plot::Theme& theme, plot::ImageFormat format) {
  plot::Figure figure = draw(theme);
  figure.set_theme(theme);
  if (format == plot::ImageFormat::svg) return data_uri("svg+xml", figure.encode(format));
  figure.set_pixel_ratio(kDense);
  return data_uri("png", figure.encode(format));
}

}  // namespace

Picture embed(const DrawFigure& draw, std::string alt, plot::ImageFormat format) {
  check(format != plot::ImageFormat::pdf, "Page: expected a picture as PNG or SVG but received PDF");
  const plot::FigureOptions options = draw(plot::Theme::light()).options();
  return {.light = drawn(draw, plot::Theme::light(), format),
          .dark = drawn(draw, plot::Theme::dark(), format),
          .alt = std::move(alt),
          .width = options.width,
          .height = options.height};
}

Picture embed_pixels(const Tensor& pixels, std::string alt, double scale) {
  check(pixels.dim() == 3 && pixels.scalar_type() == at::kByte,
        "Page: expected pixels as uint8 (channels, height, width) but received {}", shape_string(pixels));
  return {.light = data_uri("png", encode_png(pixels)),
          .alt = std::move(alt),
          .width = static_cast<int>(scale * static_cast<double>(pixels.size(2))),
          .height = static_cast<int>(scale * static_cast<double>(pixels.size(1))),
          .pixelated = scale > 1};
}

Picture linked(const std::string& path, std::string alt, int width, int height,
               const std::string& dark_path) {
  for (const std::string& file : {path, dark_path.empty() ? path : dark_path}) {
    check(!file.starts_with("data:"), "Page: expected the path of a picture but received a data: URI");
    safe_source(file);
  }
  return {.light = path, .dark = dark_path, .alt = std::move(alt), .width = width, .height = height};
}

}  // namespace fokker::report
