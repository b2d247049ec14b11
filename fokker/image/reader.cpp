#include "fokker/image/image.h"
#include "fokker/image/image_rows.h"

namespace fokker {
namespace {

const bool registered = [] {
  set_image_reader([](const std::filesystem::path& path, int64_t channels, ImageSize size) {
    const ImageFolderOptions options{.channels = channels, .size = size};
    return std::filesystem::is_directory(path) ? load_image_folder(path, options)
                                               : load_image_file(path, options);
  });
  set_image_folder_opener(
      {.bytes =
           [](const std::filesystem::path& path, int64_t channels, ImageSize size) {
             return bytes_of_image_folder(path, {.channels = channels, .size = size});
           },
       .open = [](const std::filesystem::path& path, int64_t channels,
                  ImageSize size) { return open_image_folder(path, {.channels = channels, .size = size}); }});
  return true;
}();

}  // namespace
}  // namespace fokker

/// The linker is told to look for it (fokker/CMakeLists.txt), so that this file is part of every program with
/// the library.
extern "C" bool fokker_image_reader() {
  return fokker::registered;
}
