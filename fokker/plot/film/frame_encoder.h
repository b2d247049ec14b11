#pragma once
#include <memory>
#include <string>

#include "fokker/plot/film/animation.h"

namespace fokker::plot {

/// One file format of animations. `AnimationEncoder` checks frames and keeps the time.
class FrameEncoder {
 public:
  virtual ~FrameEncoder() = default;
  /// The next frame, uint8 (height, width, 3), contiguous, and the seconds at which it comes and goes.
  virtual void add(const Tensor& rgb, double begin, double end) = 0;
  /// The bytes of the file, after the last frame.
  virtual std::string finish() = 0;
};

std::unique_ptr<FrameEncoder> webp_encoder(int width, int height, const AnimationOptions& options);
std::unique_ptr<FrameEncoder> gif_encoder(int width, int height, const AnimationOptions& options);
std::unique_ptr<FrameEncoder> mp4_encoder(int width, int height, const AnimationOptions& options);

}  // namespace fokker::plot
