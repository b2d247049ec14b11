#include <gif_lib.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/figure/palette.h"
#include "fokker/plot/film/frame_encoder.h"

namespace fokker::plot {
namespace {

constexpr int kLargestGifSide = 65535;
constexpr size_t kMostColours = 255;  // and one index for "as before"

struct GifCloser {
  void operator()(GifFileType* gif) const { EGifCloseFile(gif, nullptr); }
};
struct ColourMapDeleter {
  void operator()(ColorMapObject* map) const { GifFreeMapObject(map); }
};

/// Pixels of a frame, half open.
struct Region {
  int left, top, right, bottom;
  int width() const { return right - left; }
  int height() const { return bottom - top; }
};

/// What a frame adds to the one before: pixels equal to those of the frame before, before its colours were
/// reduced, are left as they stand, so that what does not move does not flicker either.
class GifEncoder final : public FrameEncoder {
 public:
  GifEncoder(int width, int height, const AnimationOptions& options) : width_(width), height_(height) {
    check(width <= kLargestGifSide && height <= kLargestGifSide,
          "animation: expected a GIF of at most {} pixels a side but received {} x {}", kLargestGifSide,
          width, height);
    int code = 0;
    gif_.reset(EGifOpen(&bytes_, append, &code));
    if (!gif_) fail(ErrorKind::failed, "animation: giflib failed: {}", GifErrorString(code));
    EGifSetGifVersion(gif_.get(), true);
    verify(EGifPutScreenDesc(gif_.get(), width, height, 8, 0, nullptr));
    if (options.loops != 1) put_loops(options.loops);
  }

  void add(const Tensor& rgb, double begin, double end) override {
    std::vector<uint32_t> pixels = pack(rgb);
    const Region region = changed_region(pixels);
    std::vector<uint32_t> changed;
    each(region, [&](size_t at) {
      if (!same(pixels, at)) changed.push_back(pixels[at]);
    });
    if (changed.empty()) changed.push_back(0);  // a GIF has no empty frame
    const Palette palette(std::move(changed), kMostColours);
    put_control(static_cast<int>(std::lround(100 * end) - std::lround(100 * begin)),
                palette.colours().size());
    put_image(pixels, region, palette);
    before_ = std::move(pixels);
  }

  std::string finish() override {
    int code = 0;
    if (EGifCloseFile(gif_.release(), &code) != GIF_OK)
      fail(ErrorKind::failed, "animation: giflib failed: {}", GifErrorString(code));
    return std::move(bytes_);
  }

 private:
  static int append(GifFileType* gif, const GifByteType* data, int size) {
    static_cast<std::string*>(gif->UserData)
        ->append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    return size;
  }

  void verify(int status) const {
    if (status != GIF_OK)
      fail(ErrorKind::failed, "animation: giflib failed: {}", GifErrorString(gif_->Error));
  }

  /// Netscape's extension counts repetitions, 0 for ever; a GIF without it plays once.
  void put_loops(int loops) {
    const int repeats = loops == 0 ? 0 : loops - 1;
    const unsigned char block[3] = {1, static_cast<unsigned char>(repeats & 255),
                                    static_cast<unsigned char>(repeats >> 8)};
    verify(EGifPutExtensionLeader(gif_.get(), APPLICATION_EXT_FUNC_CODE));
    verify(EGifPutExtensionBlock(gif_.get(), 11, "NETSCAPE2.0"));
    verify(EGifPutExtensionBlock(gif_.get(), 3, block));
    verify(EGifPutExtensionTrailer(gif_.get()));
  }

  void put_control(int centiseconds, size_t transparent) {
    const GraphicsControlBlock control{
        DISPOSE_DO_NOT, false, centiseconds,
        before_.empty() ? NO_TRANSPARENT_COLOR : static_cast<int>(transparent)};
    GifByteType bytes[4];
    const size_t size = EGifGCBToExtension(&control, bytes);
    verify(EGifPutExtension(gif_.get(), GRAPHICS_EXT_FUNC_CODE, static_cast<int>(size), bytes));
  }

  void put_image(const std::vector<uint32_t>& pixels, Region region, const Palette& palette) {
    const auto& colours = palette.colours();
    const auto transparent = static_cast<uint8_t>(colours.size());
    // A power of two, with room for the transparent index.
    const auto entries = static_cast<int>(std::max<size_t>(2, std::bit_ceil(colours.size() + 1)));
    const std::unique_ptr<ColorMapObject, ColourMapDeleter> map(GifMakeMapObject(entries, nullptr));
    if (!map) fail(ErrorKind::resource, "animation: no memory for the colours of a GIF");
    for (size_t i = 0; i < colours.size(); ++i)
      map->Colors[i] = {static_cast<GifByteType>(colours[i] >> 16), static_cast<GifByteType>(colours[i] >> 8),
                        static_cast<GifByteType>(colours[i])};
    verify(EGifPutImageDesc(gif_.get(), region.left, region.top, region.width(), region.height(), false,
                            map.get()));
    std::vector<GifPixelType> row;
    row.reserve(static_cast<size_t>(region.width()));
    each(region, [&](size_t at) {
      row.push_back(same(pixels, at) ? transparent : palette.index_of(pixels[at]));
      if (row.size() < static_cast<size_t>(region.width())) return;
      verify(EGifPutLine(gif_.get(), row.data(), region.width()));
      row.clear();
    });
  }

  static std::vector<uint32_t> pack(const Tensor& rgb) {
    const uint8_t* data = rgb.data_ptr<uint8_t>();
    std::vector<uint32_t> pixels(static_cast<size_t>(rgb.numel() / 3));
    for (size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<uint32_t>(data[3 * i] << 16 | data[3 * i + 1] << 8 | data[3 * i + 2]);
    return pixels;
  }

  bool same(const std::vector<uint32_t>& pixels, size_t at) const {
    return !before_.empty() && pixels[at] == before_[at];
  }

  /// Calls `visit` with the place of every pixel of the region, row by row.
  template <typename Visit>
  void each(Region region, const Visit& visit) const {
    for (int y = region.top; y < region.bottom; ++y)
      for (int x = region.left; x < region.right; ++x)
        visit(static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x));
  }

  /// The least rectangle that holds every pixel that differs; one pixel where none does.
  Region changed_region(const std::vector<uint32_t>& pixels) const {
    const Region all{0, 0, width_, height_};
    if (before_.empty()) return all;
    Region found{width_, height_, 0, 0};
    each(all, [&](size_t at) {
      if (same(pixels, at)) return;
      const int x = static_cast<int>(at % static_cast<size_t>(width_)),
                y = static_cast<int>(at / static_cast<size_t>(width_));
      found = {std::min(found.left, x), std::min(found.top, y), std::max(found.right, x + 1),
               std::max(found.bottom, y + 1)};
    });
    return found.right > 0 ? found : Region{0, 0, 1, 1};
  }

  int width_, height_;
  std::string bytes_ = {};  // before `gif_`, which writes to it until it is closed
  std::unique_ptr<GifFileType, GifCloser> gif_;
  std::vector<uint32_t> before_ = {};
};

}  // namespace

std::unique_ptr<FrameEncoder> gif_encoder(int width, int height, const AnimationOptions& options) {
  return std::make_unique<GifEncoder>(width, height, options);
}

}  // namespace fokker::plot
