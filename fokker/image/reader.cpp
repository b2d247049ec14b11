#include "fokker/image/image.h"

namespace fokker {
namespace {

const bool registered = [] {
  set_image_reader([](const std::filesystem::path& path, int64_t channels, ImageSize size) {
    const ImageFolderOptions options{.channels = channels, .size = size};
    return std::filesystem::is_directory(path) ? load_image_folder(path, options)
                                               : load_image_file(path, options);
  });
  return true;
}();

}  // namespace
}  // namespace fokker

/// The linker is told to look for it (fokker/CMakeLists.txt), so that this file is part of every program with
/// the library.
extern "C" bool fokker_image_reader() {
  return fokker::registered;
}
