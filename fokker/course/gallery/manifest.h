#pragma once
#include <map>

#include "fokker/course/gallery/gallery.h"

namespace fokker::gallery {

/// What lies in a gallery's folder: kept as gallery.json, so that drawing one item again leaves the others on
/// the page.
struct Manifest {
  struct Entry {
    int width = 0, height = 0;  ///< CSS pixels
    bool light = false, dark = false;
    uint64_t seed = 0;
    std::string set = {};  ///< what was set of it, "key=value,..."
    bool data = false;     ///< whether ID.csv lies there
  };
  std::map<std::string, Entry> entries = {};  ///< by id

  /// That of the folder, or an empty one. Input error where the file is not such a manifest. Items that the
  /// library does not know any more are left out.
  static Manifest read(const std::filesystem::path& folder);
  void add(const Drawn& drawn, const GalleryOptions& options);
  void write(const std::filesystem::path& folder) const;
};

}  // namespace fokker::gallery
