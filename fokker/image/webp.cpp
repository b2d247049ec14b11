#include <webp/decode.h>
#include <webp/mux.h>

#include <algorithm>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"
#include "fokker/image/decoded.h"
#include "fokker/image/orientation.h"

namespace fokker {
namespace {

int webp_orientation(std::string_view bytes) {
  const WebPData data{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const std::unique_ptr<WebPMux, void (*)(WebPMux*)> mux(WebPMuxCreate(&data, /*copy_data=*/0),
                                                         WebPMuxDelete);
  WebPData exif{};
  if (!mux || WebPMuxGetChunk(mux.get(), "EXIF", &exif) != WEBP_MUX_OK) return 1;
  return exif_orientation({reinterpret_cast<const char*>(exif.bytes), exif.size});
}

/// One colour takes some forty bytes at any size, so that a short file may hold a large image, but not one
/// that would fill the memory.
void check_worth(const std::string& name, std::string_view bytes, int64_t height, int64_t width) {
  constexpr int64_t small = int64_t{1} << 24, pixels_per_byte = 1024;
  check_claim(height * width <= std::max(small, pixels_per_byte * static_cast<int64_t>(bytes.size())), name,
              bytes, height, width);
}

}  // namespace

Tensor decode_webp(std::string_view bytes, const std::string& name, ImageFacts* facts) try {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  check_input(WebPGetFeatures(data, bytes.size(), &features) == VP8_STATUS_OK,
              "{}: not a readable WebP image: damaged or truncated header", name);
  check_input(!features.has_animation, "{}: expected a still image but it is an animation", name);
  check_image_size(name, features.height, features.width);
  check_worth(name, bytes, features.height, features.width);
  const int64_t channels = features.has_alpha ? 4 : 3;
  const Tensor pixels = allocate(name, {features.height, features.width, channels}, at::kByte);
  const auto decode = features.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  const auto stride = static_cast<int>(features.width * channels);
  check_input(decode(data, bytes.size(), pixels.data_ptr<uint8_t>(), pixels.nbytes(), stride) != nullptr,
              "{}: not a readable WebP image: damaged or truncated", name);
  return decoded(pixels, {.orientation = webp_orientation(bytes)}, facts);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
