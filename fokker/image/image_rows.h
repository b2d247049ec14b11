#pragma once
#include "fokker/image/image.h"

namespace fokker {

/// The images of a folder as load_image_folder has them, with rows that stay on disk: each is decoded when it
/// is asked for. All are decoded once before, on every core, so that what load_image_folder refuses is
/// refused. Later an image that was changed since is an input error, naming the file.
Dataset open_image_folder(const std::filesystem::path& path, const ImageFolderOptions& options = {});

/// What the images of a folder would take in memory, in bytes, were all like the first.
double bytes_of_image_folder(const std::filesystem::path& path, const ImageFolderOptions& options = {});

}  // namespace fokker
