#include <tiffio.h>

#include <cstring>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"
#include "fokker/image/decoded.h"

namespace fokker {
namespace {

/// A TIFF in memory. libtiff reports by handlers of the whole program; each open file has its own text here.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes) : bytes_(bytes) {
    TIFFSetWarningHandler(nullptr);
    TIFFSetErrorHandler(nullptr);
    TIFFSetErrorHandlerExt(on_error);
    file_ =
        TIFFClientOpen("TIFF", "rm", this, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap);
  }
  ~TiffReader() {
    if (file_) TIFFClose(file_);
  }
  TiffReader(const TiffReader&) = delete;
  TiffReader& operator=(const TiffReader&) = delete;

  TIFF* file() const { return file_; }
  template <typename T>
  T field(uint32_t tag) const {
    T value{};
    return TIFFGetFieldDefaulted(file_, tag, &value) == 1 ? value : T{};
  }
  std::string message() const { return message_.empty() ? "damaged or truncated" : message_; }

 private:
  static void on_error(thandle_t handle, const char* /*module*/, const char* format, va_list arguments) {
    auto* self = static_cast<TiffReader*>(handle);
    if (!self || !self->message_.empty()) return;
    char text[160];
    std::vsnprintf(text, sizeof text, format, arguments);
    self->message_ = text;
  }
  static tmsize_t on_read(thandle_t handle, void* out, tmsize_t count) {
    auto* self = static_cast<TiffReader*>(handle);
    const size_t there = self->at_ < self->bytes_.size() ? self->bytes_.size() - self->at_ : 0;
    const size_t some = std::min(static_cast<size_t>(count), there);
    std::memcpy(out, self->bytes_.data() + (some ? self->at_ : 0), some);
    self->at_ += some;
    return static_cast<tmsize_t>(some);
  }
  static tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
    auto* self = static_cast<TiffReader*>(handle);
    self->at_ = static_cast<size_t>(whence == SEEK_SET   ? offset
                                    : whence == SEEK_CUR ? self->at_ + offset
                                                         : self->bytes_.size() + offset);
    return self->at_;
  }
  static int on_close(thandle_t) { return 0; }
  static toff_t on_size(thandle_t handle) { return static_cast<TiffReader*>(handle)->bytes_.size(); }
  static int on_map(thandle_t, void**, toff_t*) { return 0; }
  static void on_unmap(thandle_t, void*, toff_t) {}

  std::string_view bytes_;
  size_t at_ = 0;
  std::string message_;
  TIFF* file_ = nullptr;
};

struct TiffLayout {
  int64_t height, width;
  uint16_t bits, samples, photometric, planar, format;
  int orientation;

  bool is_grey() const {
    return photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
  }
  /// Channels that libtiff's conversion to RGBA yields.
  int64_t channels() const {
    const int64_t colours = is_grey() ? 1 : 3;
    return colours + (has_alpha ? 1 : 0);
  }
  bool has_alpha;
};

TiffLayout layout_of(const TiffReader& tiff) {
  TiffLayout layout{};
  layout.height = tiff.field<uint32_t>(TIFFTAG_IMAGELENGTH);
  layout.width = tiff.field<uint32_t>(TIFFTAG_IMAGEWIDTH);
  layout.bits = tiff.field<uint16_t>(TIFFTAG_BITSPERSAMPLE);
  layout.samples = tiff.field<uint16_t>(TIFFTAG_SAMPLESPERPIXEL);
  layout.photometric = tiff.field<uint16_t>(TIFFTAG_PHOTOMETRIC);
  layout.planar = tiff.field<uint16_t>(TIFFTAG_PLANARCONFIG);
  layout.format = tiff.field<uint16_t>(TIFFTAG_SAMPLEFORMAT);
  const int orientation = tiff.field<uint16_t>(TIFFTAG_ORIENTATION);
  layout.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  uint16_t extra = 0;
  uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff.file(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  layout.has_alpha = extra > 0 && kinds && kinds[0] != EXTRASAMPLE_UNSPECIFIED;
  return layout;
}

/// What samples are that libtiff's conversion would cut to 8 bits: levels of 16 bits, or floats. Undefined
/// where they are read by that conversion, or not at all.
at::ScalarType deep_type(const TiffLayout& layout) {
  if (layout.format != SAMPLEFORMAT_IEEEFP) return layout.bits == 16 ? at::kShort : at::ScalarType::Undefined;
  switch (layout.bits) {
    case 16:
      return at::kHalf;
    case 32:
      return at::kFloat;
    case 64:
      return at::kDouble;
    default:
      return at::ScalarType::Undefined;
  }
}

/// The rows as they are stored.
Tensor read_rows(const TiffReader& tiff, const TiffLayout& layout, at::ScalarType type,
                 const std::string& name) {
  check_input(
      (layout.format == SAMPLEFORMAT_UINT || type != at::kShort) && layout.planar == PLANARCONFIG_CONTIG &&
          !TIFFIsTiled(tiff.file()) && layout.samples >= 1 && layout.samples <= 4 &&
          (layout.is_grey() || layout.photometric == PHOTOMETRIC_RGB) && layout.samples == layout.channels(),
      "{}: a TIFF of {} bits is read where it holds rows of grey or RGB levels, with or without alpha", name,
      layout.bits);
  const int64_t row = layout.width * layout.samples;
  check_input(TIFFScanlineSize(tiff.file()) == row * static_cast<int64_t>(at::elementSize(type)),
              "{}: not a readable TIFF image: rows of another length", name);
  const Tensor samples = allocate(name, {layout.height, layout.width, layout.samples}, type);
  for (int64_t y = 0; y < layout.height; ++y)
    check_input(TIFFReadScanline(tiff.file(), samples[y].data_ptr(), static_cast<uint32_t>(y)) == 1,
                "{}: not a readable TIFF image: {}", name, tiff.message());
  return samples;
}

/// Floats from 0 to 1, but for what arithmetic rounds, as floats in [-1, 1]. Nothing in a file says what
/// other ranges mean.
Tensor from_brightness(const Tensor& samples, const std::string& name) {
  constexpr double rounded = 1e-5;
  const Tensor values = samples.to(at::kFloat);
  check_input(values.isfinite().all().item<bool>(),
              "{}: expected floats from 0 to 1 but it has NaN or infinity", name);
  const float least = values.min().item<float>(), most = values.max().item<float>();
  check_input(
      least >= -rounded && most <= 1 + rounded,
      "{}: a TIFF of floats is read as brightness from 0 to 1 but its values are from {:g} to {:g}: scale "
      "them to 0 to 1, or write an NPY array of floats in [-1, 1]",
      name, least, most);
  return values.clamp(0, 1) * 2 - 1;
}

Tensor read_deep(const TiffReader& tiff, const TiffLayout& layout, const std::string& name) {
  const at::ScalarType type = deep_type(layout);
  const Tensor samples = read_rows(tiff, layout, type, name);
  Tensor values = type == at::kShort ? from_deep_levels(samples.to(at::kInt).bitwise_and(0xffff))
                                     : from_brightness(samples, name);
  if (layout.photometric == PHOTOMETRIC_MINISWHITE) values.narrow(2, 0, 1).neg_();
  return values;
}

/// libtiff multiplies colours by their alpha; here they are as they were before.
Tensor without_alpha_in(const Tensor& colours, const Tensor& alpha) {
  const Tensor divisor = alpha.to(at::kInt).clamp_min(1);
  const Tensor product = colours.to(at::kInt) * 255 + at::div(divisor, 2, "floor");
  return at::div(product, divisor, "floor").clamp_max(255).to(at::kByte);
}

/// Everything else, through libtiff's conversion to 8-bit RGBA.
Tensor read_levels(const TiffReader& tiff, const TiffLayout& layout, const std::string& name) {
  char why[1024] = "";
  check_input(TIFFRGBAImageOK(tiff.file(), why) == 1, "{}: not a readable TIFF image: {}", name, why);
  const Tensor rgba = allocate(name, {layout.height, layout.width, 4}, at::kByte);
  // Stored order, whatever the orientation: `decoded` turns it, which libtiff does by halves.
  TIFFSetField(tiff.file(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  check_input(TIFFReadRGBAImageOriented(
                  tiff.file(), static_cast<uint32_t>(layout.width), static_cast<uint32_t>(layout.height),
                  reinterpret_cast<uint32_t*>(rgba.data_ptr<uint8_t>()), ORIENTATION_TOPLEFT,
                  /*stop=*/1) == 1,
              "{}: not a readable TIFF image: {}", name, tiff.message());
  const Tensor colours = layout.is_grey() ? rgba.narrow(2, 0, 1) : rgba.narrow(2, 0, 3);
  if (!layout.has_alpha) return colours;
  const Tensor alpha = rgba.narrow(2, 3, 1);
  return at::cat({without_alpha_in(colours, alpha), alpha}, 2);
}

}  // namespace

Tensor decode_tiff(std::string_view bytes, const std::string& name, ImageFacts* facts) try {
  const TiffReader tiff(bytes);
  check_input(tiff.file() != nullptr, "{}: not a readable TIFF image: {}", name, tiff.message());
  const TiffLayout layout = layout_of(tiff);
  check_image_size(name, layout.height, layout.width);
  const bool deep = deep_type(layout) != at::ScalarType::Undefined;
  check_input(deep || layout.bits <= 8,
              "{}: expected a TIFF of at most 16 bits a channel, or of floats, but it has {} bits", name,
              layout.bits);
  check_input(TIFFLastDirectory(tiff.file()) == 1, "{}: expected a still image but it has several pages",
              name);
  check_expansion(name, bytes, layout.height, layout.width, deep ? layout.bits / 8 * layout.samples : 4);
  const Tensor pixels = deep ? read_deep(tiff, layout, name) : read_levels(tiff, layout, name);
  return decoded(
      pixels,
      {.orientation = layout.orientation, .deep = deep, .palette = layout.photometric == PHOTOMETRIC_PALETTE},
      facts);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
