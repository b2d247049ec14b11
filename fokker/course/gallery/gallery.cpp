#include "fokker/course/gallery/gallery.h"

#include <chrono>
#include <mutex>
#include <set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/jobs.h"
#include "fokker/core/stop.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/manifest.h"
#include "fokker/course/gallery/page.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/film/animation.h"

namespace fokker::gallery {
namespace {

namespace fs = std::filesystem;

Items build() {
  Items items;
  add_s0_bridge(items);
  add_s0_reversal(items);
  add_s0_matching(items);
  add_s1_chain(items);
  add_s1_objective(items);
  add_s2_toy(items);
  add_s2_langevin(items);
  add_s3_forward(items);
  add_s3_loss(items);
  add_s3_learned(items);
  add_s3_noise(items);
  add_s3_sde(items);
  add_s3_flow(items);
  add_guidance_laws(items);
  add_inverse_posteriors(items);
  std::set<std::string> ids;
  for (const Item& item : items)
    check(ids.insert(item.id).second, "gallery: two items have the id {}", item.id);
  return items;
}

bool lies_in(const std::string& id, const std::string& group) {
  return id == group || id.starts_with(group + ".");
}

std::string valid_ids() {
  std::string text;
  for (const Item& item : all_items()) text += (text.empty() ? "" : ", ") + item.id;
  return text;
}

struct NamedTheme {
  plot::Theme theme;
  std::string suffix;  ///< before the extension of its files
};

std::vector<NamedTheme> themes_of(Themes themes) {
  std::vector<NamedTheme> chosen;
  if (themes != Themes::dark) chosen.push_back({plot::Theme::light(), ""});
  if (themes != Themes::light) chosen.push_back({plot::Theme::dark(), ".dark"});
  return chosen;
}

/// Writes the pictures of one item.
class ItemFiles {
 public:
  ItemFiles(const fs::path& folder, Drawn& drawn) : folder_(folder), drawn_(drawn) {}

  /// The numbers of the picture, or of an animation's still.
  void write_data(const Scene& scene) {
    drawn_.files.push_back(drawn_.item->id + ".csv");
    write_file_atomically(folder_ / drawn_.files.back(), scene.draw(plot::Theme::light(), scene.still).csv());
  }

  void write(const Scene& scene, const NamedTheme& theme) {
    const plot::Figure still = scene.draw(theme.theme, scene.still);
    drawn_.width = still.options().width;
    drawn_.height = still.options().height;
    still.save(place(theme, ".png"));
    still.save(place(theme, ".svg"));
    if (scene.frames > 1)
      plot::save_animation(
          place(theme, ".webp"), scene.frames,
          [&](int64_t frame) {
            check_stop();
            plot::Figure figure = scene.draw(theme.theme, frame);
            figure.set_pixel_ratio(animation_ratio);
            return figure;
          },
          {.frames_per_second = scene.frames_per_second, .hold_last = 1.5, .quality = animation_quality});
    check_stop();
  }

 private:
  static constexpr int animation_quality = 75;
  static constexpr double animation_ratio = 1.5;

  fs::path place(const NamedTheme& theme, const std::string& extension) {
    drawn_.files.push_back(drawn_.item->id + theme.suffix + extension);
    return folder_ / drawn_.files.back();
  }

  const fs::path& folder_;
  Drawn& drawn_;
};

Drawn draw_item(const Item& item, const course::Share& share, Workshop& shop, const fs::path& folder,
                const GalleryOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Drawn drawn;
  drawn.item = &item;
  drawn.set = share.taken;
  drawn.left = share.left;
  const Settings settings(item.id, item.settings, share.taken);
  const Scene scene = item.prepare(shop, Rng(options.seed).stream(item.id), settings);
  check((scene.frames > 1) == (item.kind == Kind::animation), "gallery: {} is not of the kind it claims",
        item.id);
  ItemFiles files(folder, drawn);
  for (const NamedTheme& theme : themes_of(options.themes)) files.write(scene, theme);
  files.write_data(scene);
  drawn.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return drawn;
}

}  // namespace

const std::vector<Item>& all_items() {
  static const Items items = build();
  return items;
}

std::vector<const Item*> select(const std::vector<std::string>& ids) {
  for (const std::string& id : ids)
    check(
        std::any_of(all_items().begin(), all_items().end(), [&](const Item& i) { return lies_in(i.id, id); }),
        "gallery: no picture is named '{}'; valid ids: {}", id, valid_ids());
  std::vector<const Item*> chosen;
  for (const Item& item : all_items())
    if (ids.empty() ||
        std::any_of(ids.begin(), ids.end(), [&](const auto& id) { return lies_in(item.id, id); }))
      chosen.push_back(&item);
  return chosen;
}

std::vector<Drawn> draw(const std::vector<const Item*>& items, const fs::path& folder,
                        const GalleryOptions& options) try {
  std::vector<course::Owner> owners;
  owners.reserve(items.size());
  for (const Item* item : items) owners.push_back({item->id, &item->settings});
  const auto shares = course::shares_of(owners, options.set);  // refused before the work
  Manifest manifest = Manifest::read(folder);
  Workshop shop(options.seed);
  std::vector<Drawn> all(items.size());
  std::mutex mutex;
  run_jobs(items.size(), options.threads, [&](size_t i) {
    all[i] = draw_item(*items[i], shares[i], shop, folder, options);
    const std::lock_guard lock(mutex);
    if (options.after) options.after(*items[i]);
  });
  for (const Drawn& drawn : all) manifest.add(drawn, options);
  manifest.write(folder);
  write_page(manifest, folder);
  return all;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker::gallery
