#include <webp/encode.h>
#include <webp/mux.h>

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/film/frame_encoder.h"

namespace fokker::plot {
namespace {

constexpr int kLossless = 100;
// Of libwebp's lossless effort, 0 ... 6 and 0 ... 100: the quickest, because 100 busy frames are to be a
// matter of seconds.
constexpr int kMethod = 0;
constexpr float kEffort = 20;

struct EncoderDeleter {
  void operator()(WebPAnimEncoder* encoder) const { WebPAnimEncoderDelete(encoder); }
};

class WebpEncoder final : public FrameEncoder {
 public:
  WebpEncoder(int width, int height, const AnimationOptions& options) : width_(width), height_(height) {
    check(width <= WEBP_MAX_DIMENSION && height <= WEBP_MAX_DIMENSION,
          "animation: expected a WebP of at most {} pixels a side but received {} x {}", WEBP_MAX_DIMENSION,
          width, height);
    WebPAnimEncoderOptions whole;
    check(WebPAnimEncoderOptionsInit(&whole) && WebPConfigInit(&config_),
          "animation: libwebp of another version");
    whole.anim_params.loop_count = options.loops;
    const bool lossless = options.quality == kLossless;
    config_.lossless = lossless;
    config_.method = lossless ? kMethod : 4;
    config_.quality = lossless ? kEffort : static_cast<float>(options.quality);
    encoder_.reset(WebPAnimEncoderNew(width, height, &whole));
    if (!encoder_) fail(ErrorKind::resource, "animation: no memory for a WebP of {} x {}", width, height);
  }

  void add(const Tensor& rgb, double begin, double end) override {
    WebPPicture picture;
    check(WebPPictureInit(&picture), "animation: libwebp of another version");
    picture.width = width_;
    picture.height = height_;
    picture.use_argb = 1;
    const bool added = WebPPictureImportRGB(&picture, rgb.data_ptr<uint8_t>(), 3 * width_) &&
                       WebPAnimEncoderAdd(encoder_.get(), &picture, milliseconds(begin), &config_);
    WebPPictureFree(&picture);
    if (!added) refuse();
    end_ = milliseconds(end);
  }

  std::string finish() override {
    WebPData data;
    WebPDataInit(&data);
    if (!WebPAnimEncoderAdd(encoder_.get(), nullptr, end_, nullptr) ||
        !WebPAnimEncoderAssemble(encoder_.get(), &data))
      refuse();
    std::string bytes(reinterpret_cast<const char*>(data.bytes), data.size);
    WebPDataClear(&data);
    return bytes;
  }

 private:
  static int milliseconds(double seconds) { return static_cast<int>(std::lround(1000 * seconds)); }

  [[noreturn]] void refuse() const {
    fail(ErrorKind::failed, "animation: libwebp failed: {}", WebPAnimEncoderGetError(encoder_.get()));
  }

  int width_, height_, end_ = 0;
  WebPConfig config_;
  std::unique_ptr<WebPAnimEncoder, EncoderDeleter> encoder_;
};

}  // namespace

std::unique_ptr<FrameEncoder> webp_encoder(int width, int height, const AnimationOptions& options) {
  return std::make_unique<WebpEncoder>(width, height, options);
}

}  // namespace fokker::plot
