#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fokker/course/gallery/item.h"

/// The figures and animations of the four sources, drawn by the library itself.
namespace fokker::gallery {

/// Every item, by source and in the source's order. Built once.
const std::vector<Item>& all_items();

/// Those whose id is one of `ids` or lies below it ("s3" and "s3.forward" name one or more), in the gallery's
/// order; all of them where `ids` is empty. An argument error names an id that fits nothing and lists the
/// valid ones.
std::vector<const Item*> select(const std::vector<std::string>& ids);

enum class Themes { light, dark, both };

struct GalleryOptions {
  uint64_t seed = 0;
  Themes themes = Themes::both;
  /// "key=value,...": each item takes what it declares and can use, and is drawn as it is otherwise.
  std::vector<std::string> set = {};
  int threads = 1;  ///< items drawn at the same time, each on one thread
  /// Called after each item, from one thread at a time.
  std::function<void(const Item& item)> after = {};
};

/// What one item became.
struct Drawn {
  const Item* item = nullptr;
  std::vector<std::string>
      files;  ///< names in the folder: ID.png, ID.svg, of an animation ID.webp; dark: ID.dark.png; ID.csv
  int width = 0, height = 0;  ///< CSS pixels
  double seconds = 0;
  course::Changes set = {};            ///< what was set of it
  std::vector<std::string> left = {};  ///< what was set and is not of it, with the reason
};

/// Draws the items into the folder, which is made where it is absent, and writes its index.html for all items
/// whose pictures lie there. Each file is written whole or not at all; a StopRequest is heeded
/// between frames and files.
std::vector<Drawn> draw(const std::vector<const Item*>& items, const std::filesystem::path& folder,
                        const GalleryOptions& options = {});

}  // namespace fokker::gallery
