#include "fokker/course/gallery/page.h"

#include "fokker/report/page.h"

namespace fokker::gallery {
namespace {

/// A picture wider than this keeps its size on a phone and scrolls, so that its text stays readable.
constexpr int widest_shrunk = 850;

const std::vector<std::pair<std::string, std::string>>& source_names() {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"s0", "S0: reverse-time SDEs"},
      {"s1", "S1: denoising diffusion probabilistic models"},
      {"s2", "S2: score matching and annealed Langevin dynamics"},
      {"s3", "S3: a notebook on diffusion models"},
      {"guidance", "Beside the sources: guidance"},
      {"inverse", "Beside the sources: inverse problems"}};
  return names;
}

/// The files of one item, relative to the page.
struct ItemPlaces {
  std::string light, dark;  ///< without extension; empty where that theme was not drawn
  explicit ItemPlaces(const std::string& id, const Manifest::Entry& entry)
      : light(entry.light ? id : ""), dark(entry.dark ? id + ".dark" : "") {}
  const std::string& first() const { return light.empty() ? dark : light; }
  std::string second(const char* extension) const {
    return light.empty() || dark.empty() ? "" : dark + extension;
  }
};

report::Figure figure_of(const Item& item, const Manifest::Entry& entry) {
  const ItemPlaces places(item.id, entry);
  const char* extension = item.kind == Kind::animation ? ".webp" : ".png";
  const bool set = !entry.set.empty();
  report::Figure figure{
      .picture = report::linked(places.first() + extension, set ? item.alt_when_set : item.alt, entry.width,
                                entry.height, places.second(extension)),
      .caption = set ? item.caption_when_set : item.caption,
      .link = places.first() + extension};
  if (item.kind == Kind::animation) {
    figure.picture.still = places.first() + ".png";
    figure.picture.still_dark = places.second(".png");
  }
  return figure;
}

std::vector<std::pair<std::string, std::string>> links_of(const Item& item, const Manifest::Entry& entry) {
  const std::string name = ItemPlaces(item.id, entry).first();
  std::vector<std::pair<std::string, std::string>> links;
  if (item.kind == Kind::animation) links.emplace_back("Play " + item.id, name + ".webp");
  links.emplace_back("PNG of " + item.id, name + ".png");
  links.emplace_back("SVG of " + item.id, name + ".svg");
  if (entry.data) links.emplace_back("CSV of " + item.id, item.id + ".csv");
  return links;
}

/// What draws it again in a shell.
std::string command_of(const Item& item, const Manifest::Entry& entry) {
  std::string command = fmt::format("fokker gallery --out . {} --seed {}", item.id, entry.seed);
  if (entry.set.empty()) return command;
  std::string quoted;
  for (const char c : entry.set) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return command + " --set '" + quoted + "'";
}

void add_item(report::Page& page, const Item& item, const Manifest::Entry& entry) {
  page.heading(item.title);
  const report::Figure figure = figure_of(item, entry);
  if (entry.width > widest_shrunk)
    page.wide_figure(figure);
  else
    page.figures({figure});
  std::vector<std::pair<std::string, std::string>> facts = {{"Source", item.source}};
  if (!entry.set.empty()) facts.emplace_back("Set by the reader", entry.set);
  facts.emplace_back("To draw it again", command_of(item, entry));
  page.facts(facts);
  page.links(links_of(item, entry));
}

}  // namespace

void write_page(const Manifest& manifest, const std::filesystem::path& folder) {
  report::Page page(
      "Gallery",
      "The figures and animations of the four sources, drawn by the library itself, and some of what "
      "the sources describe but do not draw. Captions say what to see, and where a source is wrong.");
  for (const auto& [source, name] : source_names()) {
    bool open = false;
    for (const Item& item : all_items()) {
      const auto entry = manifest.entries.find(item.id);
      if (entry == manifest.entries.end() || !item.id.starts_with(source + ".")) continue;
      if (!open) page.section(name);
      open = true;
      add_item(page, item, entry->second);
    }
  }
  page.save(folder / "index.html");
}

}  // namespace fokker::gallery
