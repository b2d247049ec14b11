#include "fokker/course/gallery/manifest.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/json_reader.h"

namespace fokker::gallery {
namespace {

namespace fs = std::filesystem;

constexpr const char* manifest_name = "gallery.json";

Manifest::Entry entry_of(const detail::JsonReader& reader) {
  const auto side = [&](const char* key) {
    const auto value = reader.get<int64_t>(key);
    check_input(value > 0 && value <= plot::kLargestSide,
                "{}: expected a size in pixels as '{}' but received {}", reader.place(), key, value);
    return static_cast<int>(value);
  };
  std::string set;
  bool data = false;
  reader.read("set", set);
  reader.read("data", data);
  return {.width = side("width"),
          .height = side("height"),
          .light = reader.get<bool>("light"),
          .dark = reader.get<bool>("dark"),
          .seed = reader.get<uint64_t>("seed"),
          .set = set,
          .data = data};
}

std::string text_of(const course::Changes& changes) {
  std::string all;
  for (const auto& [name, value] : changes)
    all += fmt::format("{}{}={}", all.empty() ? "" : ",", name, value);
  return all;
}

}  // namespace

Manifest Manifest::read(const fs::path& folder) {
  const fs::path file = folder / manifest_name;
  Manifest manifest;
  if (!fs::exists(file)) return manifest;
  const Json json = read_json(file);
  check_input(json.is_object(), "{}: expected an object of pictures", file.string());
  const detail::JsonReader reader(json, file.string());
  for (const Item& item : all_items())
    if (json.contains(item.id)) manifest.entries[item.id] = entry_of(reader.at(item.id.c_str()));
  return manifest;
}

void Manifest::add(const Drawn& drawn, const GalleryOptions& options) {
  const auto old = entries.find(drawn.item->id);
  // Pictures of the other theme that were drawn with the same seed and settings are still the same picture.
  const std::string set = text_of(drawn.set);
  const bool same = old != entries.end() && old->second.seed == options.seed && old->second.set == set;
  Entry entry{.width = drawn.width, .height = drawn.height, .seed = options.seed, .set = set, .data = true};
  entry.light = options.themes != Themes::dark || (same && old->second.light);
  entry.dark = options.themes != Themes::light || (same && old->second.dark);
  entries[drawn.item->id] = entry;
}

void Manifest::write(const fs::path& folder) const {
  Json json = Json::object();
  for (const auto& [id, entry] : entries)
    json[id] = {{"width", entry.width},
                {"height", entry.height},
                {"light", entry.light},
                {"dark", entry.dark},
                {"seed", entry.seed}};
  for (const auto& [id, entry] : entries) {
    if (!entry.set.empty()) json[id]["set"] = entry.set;
    if (entry.data) json[id]["data"] = true;
  }
  write_file_atomically(folder / manifest_name, json_text(json, 2) + "\n");
}

}  // namespace fokker::gallery
