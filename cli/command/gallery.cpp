#include "fokker/course/gallery/gallery.h"

#include "cli/option/command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/settings_output.h"
#include "fokker/core/check.h"
#include "fokker/core/runtime.h"

namespace fokker::cli {
namespace {

using gallery::Drawn;
using gallery::Item;
using gallery::Kind;
using gallery::Themes;

struct GalleryCommand {
  CommonOptions common;
  std::string out, theme = "both";
  std::vector<std::string> ids, set;
  bool list = false;
};

Themes themes_of(const GalleryCommand& o) {
  if (o.theme == "light") return Themes::light;
  if (o.theme == "dark") return Themes::dark;
  check(o.theme == "both", "theme: expected light, dark or both but received '{}'", o.theme);
  return Themes::both;
}

const char* kind_name(Kind kind) {
  return kind == Kind::figure ? "figure" : "animation";
}

Json item_json(const Item& item) {
  return {{"id", item.id},           {"kind", kind_name(item.kind)},
          {"title", item.title},     {"source", item.source},
          {"caption", item.caption}, {"settings", settings_json(item.settings)}};
}

int list_items(const GalleryCommand& o, const std::vector<const Item*>& items) {
  Json json = Json::array();
  std::string text;
  for (const Item* item : items) {
    json.push_back(item_json(*item));
    text += fmt::format("{:<20} {:<10} {}\n{:<31} {}\n", item->id, kind_name(item->kind), item->title, "",
                        item->source) +
            settings_text(item->settings, 31);
  }
  print_result(o.common, {{"items", json}}, text);
  return 0;
}

int run_gallery(const GalleryCommand& o, const Command& command) {
  const auto items = gallery::select(o.ids);
  const Themes themes = themes_of(o);
  if (o.list) command.refuse({"out", "theme", "set"}, "--list draws nothing");
  if (o.list) return list_items(o, items);
  check(!o.out.empty(), "gallery: expected --out FOLDER");
  prepare_folder(o.out);
  Progress progress("gallery", static_cast<int64_t>(items.size()));
  int64_t done = 0;
  const auto drawn = gallery::draw(items, o.out,
                                   {.seed = o.common.seed,
                                    .themes = themes,
                                    .set = o.set,
                                    .threads = thread_count(),
                                    .after = [&](const Item& item) { progress.update(++done, item.id); }});
  progress.finish();
  command.save_configuration(std::filesystem::path(o.out) / "config.toml");
  Json json = Json::array();
  for (const Drawn& d : drawn) {
    Json row = item_json(*d.item);
    if (!d.set.empty()) {
      row["set"] = changes_json(d.set);
      row["caption"] = d.item->caption_when_set;
    }
    if (!d.left.empty()) row["as_it_is"] = d.left;
    row["files"] = d.files;
    row["seconds"] = d.seconds;
    json.push_back(std::move(row));
  }
  const std::string index = (std::filesystem::path(o.out) / "index.html").string();
  std::string text;
  for (const Drawn& d : drawn)
    for (const std::string& reason : d.left)
      text += fmt::format("{} as it is, without {}\n", d.item->id, reason);
  print_result(o.common, {{"index", index}, {"items", json}},
               text + fmt::format("{} pictures: open {}\n", drawn.size(), index));
  return 0;
}

}  // namespace

void add_gallery(CommandLine& line) {
  add_command<GalleryCommand>(
      line,
      {"gallery", "Draw every figure and animation of the sources, with a page that explains them",
       "fokker gallery --out gallery\n  fokker gallery --out gallery s3.forward s2 --theme light"},
      [](Command& c, GalleryCommand& o) {
        c.option("ids", o.ids, "Pictures or sources, such as s3.forward or s3 (default: all)");
        c.option("--out", o.out, "Folder of the pictures and their index.html");
        c.option("--theme", o.theme, "light, dark or both");
        c.repeated(
            "--set", o.set,
            "KEY=VALUE,...: the same picture of your own problem (target, sigma, table, ...); of a group "
            "those that have the setting. --list names each one's settings");
        c.flag("--list", o.list, "Name the pictures with their sources, and draw nothing");
      },
      run_gallery);
}

}  // namespace fokker::cli
