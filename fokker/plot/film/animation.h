#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "fokker/plot/figure/figure.h"

namespace fokker::plot {

enum class AnimationFormat { webp, gif, mp4 };

/// The format that a file name asks for; argument error that lists the known ones.
AnimationFormat animation_format(const std::filesystem::path& path);

struct AnimationOptions {
  double frames_per_second = 20;  ///< at most 100, of a GIF 50; times are rounded to 1 ms, of a GIF to 10 ms
  int loops = 0;                  ///< how often it plays, 0 for ever; of an MP4 the player decides: 0 there
  double hold_last = 0;           ///< seconds, at most 60, for which the last frame stands longer
  int quality = 100;              ///< of a WebP: 100 keeps every pixel, 1 to 99 is lossy
};

class FrameEncoder;

/// Turns frames of one size into an animated WebP, a GIF (up to 255 colours a frame, chosen for what changes
/// in it), or an MP4 through the program `ffmpeg`. Memory holds two frames and the compressed rest. Argument
/// errors: options out of their range, a frame of another size than the first, no frame at all. Failed: an
/// MP4 where ffmpeg is missing or fails.
class AnimationEncoder {
 public:
  explicit AnimationEncoder(AnimationFormat format, const AnimationOptions& options = {});
  ~AnimationEncoder();
  AnimationEncoder(AnimationEncoder&&) noexcept;
  AnimationEncoder& operator=(AnimationEncoder&&) noexcept;

  void add(const Figure& frame);
  /// uint8 (3, height, width).
  void add(const Tensor& pixels);
  /// The bytes of the file. A WebP has merged frames that repeat the one before into its duration.
  std::string finish();

 private:
  void encode_held(double longer);
  AnimationFormat format_;
  AnimationOptions options_;
  int64_t frames_ = 0;
  Tensor held_ = {};  // the newest frame, (height, width, 3): whether it is the last shows only later
  std::unique_ptr<FrameEncoder> encoder_;
};

/// Writes frames to a file, which appears, whole, at `finish`.
class AnimationWriter {
 public:
  explicit AnimationWriter(std::filesystem::path path, const AnimationOptions& options = {});
  void add(const Figure& frame) { encoder_.add(frame); }
  void add(const Tensor& pixels) { encoder_.add(pixels); }
  void finish();

 private:
  std::filesystem::path path_;
  AnimationEncoder encoder_;
};

/// Draws the frames 0 ... frames - 1 and writes them.
void save_animation(const std::filesystem::path& path, int64_t frames,
                    const std::function<Figure(int64_t)>& draw, const AnimationOptions& options = {});

/// The bytes of such a file.
std::string encode_animation(AnimationFormat format, int64_t frames,
                             const std::function<Figure(int64_t)>& draw,
                             const AnimationOptions& options = {});

}  // namespace fokker::plot
