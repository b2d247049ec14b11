#pragma once
#include "fokker/course/gallery/manifest.h"

namespace fokker::gallery {

/// Writes index.html: each picture of the manifest with its source, caption and the command that draws it
/// again.
void write_page(const Manifest& manifest, const std::filesystem::path& folder);

}  // namespace fokker::gallery
