#include "fokker/plot/film/animation.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/plot/film/frame_encoder.h"

namespace fokker::plot {
namespace {

constexpr double kMostFramesPerSecond = 100;
constexpr double kMostGifFramesPerSecond = 50;  // faster ones are slowed down by viewers
constexpr double kLongestHold = 60;
constexpr int kMostLoops = 65535;

void check_options(AnimationFormat format, const AnimationOptions& options) {
  const double most = format == AnimationFormat::gif ? kMostGifFramesPerSecond : kMostFramesPerSecond;
  check(options.frames_per_second > 0 && options.frames_per_second <= most,
        "animation: expected frames per second above 0 and at most {} but received {}", most,
        options.frames_per_second);
  check(options.loops >= 0 && options.loops <= kMostLoops,
        "animation: expected between 0 and {} loops but received {}", kMostLoops, options.loops);
  check(format != AnimationFormat::mp4 || options.loops == 0,
        "animation: an MP4 does not say how often it plays; expected 0 loops but received {}", options.loops);
  check(options.hold_last >= 0 && options.hold_last <= kLongestHold,
        "animation: expected to hold the last frame for 0 to {} seconds but received {}", kLongestHold,
        options.hold_last);
  check(options.quality >= 1 && options.quality <= 100,
        "animation: expected a quality from 1 to 100 but received {}", options.quality);
}

std::unique_ptr<FrameEncoder> make_encoder(AnimationFormat format, int width, int height,
                                           const AnimationOptions& options) {
  if (format == AnimationFormat::webp) return webp_encoder(width, height, options);
  if (format == AnimationFormat::gif) return gif_encoder(width, height, options);
  return mp4_encoder(width, height, options);
}

}  // namespace

AnimationFormat animation_format(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".webp") return AnimationFormat::webp;
  if (extension == ".gif") return AnimationFormat::gif;
  if (extension == ".mp4") return AnimationFormat::mp4;
  fail(ErrorKind::argument, "animation: expected a file name ending in .webp, .gif or .mp4 but received {}",
       path.string());
}

AnimationEncoder::AnimationEncoder(AnimationFormat format, const AnimationOptions& options)
    : format_(format), options_(options) {
  check_options(format, options);
}

AnimationEncoder::~AnimationEncoder() = default;
AnimationEncoder::AnimationEncoder(AnimationEncoder&&) noexcept = default;
AnimationEncoder& AnimationEncoder::operator=(AnimationEncoder&&) noexcept = default;

void AnimationEncoder::add(const Figure& frame) {
  add(frame.render());
}

void AnimationEncoder::add(const Tensor& pixels) {
  check(pixels.defined() && pixels.scalar_type() == at::kByte && pixels.dim() == 3 && pixels.size(0) == 3 &&
            pixels.numel() > 0,
        "animation: expected a frame of uint8 (3, height, width) but received {}",
        pixels.defined() ? shape_string(pixels) : "nothing");
  const Tensor rgb = pixels.cpu().permute({1, 2, 0}).contiguous();
  if (!encoder_) {
    check(rgb.size(0) <= kLargestSide && rgb.size(1) <= kLargestSide,
          "animation: expected at most {} pixels a side but received {} x {}", kLargestSide, rgb.size(1),
          rgb.size(0));
    encoder_ = make_encoder(format_, static_cast<int>(rgb.size(1)), static_cast<int>(rgb.size(0)), options_);
  } else {
    check(rgb.sizes() == held_.sizes(),
          "animation: expected frame {} to have {} x {} pixels but it has {} x {}", frames_, held_.size(1),
          held_.size(0), rgb.size(1), rgb.size(0));
    encode_held(0);
  }
  held_ = rgb;
  ++frames_;
}

void AnimationEncoder::encode_held(double longer) {
  const double rate = options_.frames_per_second;
  encoder_->add(held_, static_cast<double>(frames_ - 1) / rate, static_cast<double>(frames_) / rate + longer);
}

std::string AnimationEncoder::finish() {
  check(frames_ > 0, "animation: expected at least one frame");
  encode_held(options_.hold_last);
  return encoder_->finish();
}

AnimationWriter::AnimationWriter(std::filesystem::path path, const AnimationOptions& options)
    : path_(std::move(path)), encoder_(animation_format(path_), options) {}

void AnimationWriter::finish() {
  write_file_atomically(path_, encoder_.finish());
}

void save_animation(const std::filesystem::path& path, int64_t frames,
                    const std::function<Figure(int64_t)>& draw, const AnimationOptions& options) try {
  AnimationWriter writer(path, options);
  for (int64_t i = 0; i < frames; ++i) writer.add(draw(i));
  writer.finish();
} catch (...) {
  detail::throw_as_error();
}

std::string encode_animation(AnimationFormat format, int64_t frames,
                             const std::function<Figure(int64_t)>& draw, const AnimationOptions& options) {
  AnimationEncoder encoder(format, options);
  for (int64_t i = 0; i < frames; ++i) encoder.add(draw(i));
  return encoder.finish();
}

}  // namespace fokker::plot
