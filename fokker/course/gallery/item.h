#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "fokker/core/random/rng.h"
#include "fokker/plot/figure/figure.h"

namespace fokker::gallery {

class Workshop;

/// A picture whose numbers are computed already: it can be drawn in any theme, frame by frame.
struct Scene {
  std::function<plot::Figure(const plot::Theme& theme, int64_t frame)> draw;
  int64_t frames = 1;
  int64_t still = 0;  ///< the frame that stands for an animation where nothing may move
  double frames_per_second = 16;
};

enum class Kind { figure, animation };

/// One picture of the gallery. It depends on the seed and its id alone, whatever is drawn beside it.
struct Item {
  std::string id;  ///< "s3.forward": source, subject
  std::string title;
  std::string source;   ///< "S3, section 1.1.3"
  std::string caption;  ///< what to see, and where the source is wrong
  std::string alt;      ///< the picture in words, for readers who do not see it
  Kind kind = Kind::figure;
  /// Computes what the picture shows. `rng` is the item's own.
  std::function<Scene(Workshop& shop, const Rng& rng)> prepare = {};
};

}  // namespace fokker::gallery
