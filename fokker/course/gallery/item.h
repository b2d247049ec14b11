#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "fokker/core/random/rng.h"
#include "fokker/course/problem/settings.h"
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

using course::LawLimits;
using course::Setting;
using course::Settings;

/// Computes what a picture shows, from the item's own numbers and what a reader has set of its problem.
class Prepare {
 public:
  using Function = std::function<Scene(Workshop& shop, const Rng& rng, const Settings& set)>;
  Prepare() = default;
  /// Of a picture without settings.
  template <typename Plain>
  requires std::is_invocable_r_v<Scene, Plain, Workshop&, const Rng&> Prepare(Plain plain)
      : function_([plain](Workshop& shop, const Rng& rng, const Settings&) { return plain(shop, rng); }) {}
  /// Of one with settings.
  template <typename Set>
  requires std::is_invocable_r_v<Scene, Set, Workshop&, const Rng&, const Settings&> Prepare(Set set)
      : function_(std::move(set)) {}
  Scene operator()(Workshop& shop, const Rng& rng, const Settings& set = {}) const {
    return function_(shop, rng, set);
  }

 private:
  Function function_;
};

/// One picture of the gallery. It depends on the seed and its id alone, whatever is drawn beside it.
struct Item {
  std::string id;  ///< "s3.forward": source, subject
  std::string title;
  std::string source;   ///< "S3, section 1.1.3"
  std::string caption;  ///< what to see, and where the source is wrong
  std::string alt;      ///< the picture in words, for readers who do not see it
  Kind kind = Kind::figure;
  Prepare prepare = {};
  std::vector<Setting> settings = {};  ///< what of it a reader may choose, `fokker gallery ID --set`
  /// The same two texts where something was set: what holds whatever it is, as the page says what was set.
  std::string caption_when_set = {}, alt_when_set = {};
};

}  // namespace fokker::gallery
