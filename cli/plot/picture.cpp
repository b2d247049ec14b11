#include "cli/plot/picture.h"

#include "cli/output.h"
#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"

namespace fokker::cli {
namespace {

plot::AnimationOptions animation_of(const FilmOptions& o) {
  check(o.loops >= 0 && o.loops <= 65535, "loops: expected between 0 and 65535 loops but received {}",
        o.loops);
  return {.frames_per_second = o.rate, .loops = static_cast<int>(o.loops), .hold_last = o.hold};
}

int pixels(const char* name, int64_t value) {
  check(value >= 0 && value <= plot::kLargestSide, "{}: expected between 1 and {} pixels but received {}",
        name, plot::kLargestSide, value);
  return static_cast<int>(value);
}

}  // namespace

void describe_picture(Command& c, PictureOptions& o) {
  const std::string before = c.heading("Picture");
  c.option("--title", o.title, "Title");
  c.option("--theme", o.theme, "light or dark");
  c.option("--width", o.width, "Of pictures and animations, in pixels; 0 chooses");
  c.option("--height", o.height, "Of pictures and animations, in pixels; 0 chooses");
  c.heading(before);
}

void refuse_picture(const Command& command, const std::string& reason) {
  command.refuse({"title", "theme", "width", "height"}, reason);
}

plot::Theme theme_of(const PictureOptions& o) {
  check(o.theme == "light" || o.theme == "dark", "theme: expected light or dark but received '{}'", o.theme);
  return o.theme == "light" ? plot::Theme::light() : plot::Theme::dark();
}

plot::ChartOptions chart_of(const PictureOptions& o) {
  return {.title = o.title,
          .theme = theme_of(o),
          .width = pixels("width", o.width),
          .height = pixels("height", o.height)};
}

void describe_film(Command& c, FilmOptions& o) {
  const std::string before = c.heading("Animation");
  c.option("--animate", o.file, "Also write an animation: .webp, .gif, or .mp4 (needs ffmpeg)");
  c.option("--frames", o.frames, "Of the animation: states shown, evenly spaced");
  c.option("--frame-rate", o.rate, "Of the animation: frames a second");
  c.option("--loops", o.loops, "Of the animation: how often it plays; 0 is for ever");
  c.option("--hold", o.hold, "Of the animation: seconds that the last frame stands longer");
  c.heading(before);
}

void refuse_film(const Command& command) {
  command.refuse({"frames", "frame-rate", "loops", "hold"}, "there is no animation; expected --animate FILE");
}

void save_film(const FilmOptions& o, const plot::ParticleFilm& film) {
  const int64_t count = std::min(o.frames, film.steps() + 1);
  Progress progress("animating", count);
  const auto frame = [&](int64_t i) {
    check_stop();
    progress.update(i);
    return film.frame(plot::film_step(film, i, count));
  };
  plot::save_animation(o.file, count, frame, animation_of(o));
  progress.update(count);
  progress.finish();
  message("wrote " + o.file);
}

void check_picture(const std::string& file) {
  if (file.empty()) return;
  plot::image_format(file);
  check_folder_of(file);
}

void check_film(const FilmOptions& o) {
  if (o.file.empty()) return;
  check(o.frames > 0, "frames: expected frames > 0 but received {}", o.frames);
  const plot::AnimationEncoder try_options(plot::animation_format(o.file), animation_of(o));
  check_folder_of(o.file);
}

}  // namespace fokker::cli
