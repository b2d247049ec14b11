#include "fokker/core/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "fokker/core/error.h"
#include "fokker/core/stop.h"
#include "fokker/core/unfinished.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  const int result = ::fsync(descriptor);
  const int code = errno;
  ::close(descriptor);
  // Some file systems refuse fsync on folders; that is no loss of data.
  if (result != 0 && code != EINVAL)
    fail(ErrorKind::resource, "{}: cannot be written to disk: {}", path.string(), std::strerror(code));
}

fs::path temporary_beside(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.tmp-{}", path.filename().string(), ::getpid());
}

void make_parent(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error)
    fail(ErrorKind::resource, "{}: cannot create the folder: {}", path.parent_path().string(),
         error.message());
}

void rename_over(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail(ErrorKind::resource, "{}: cannot be put in place: {}", to.string(), error.message());
}

}  // namespace

std::string read_file(const fs::path& path, uint64_t limit) {
  std::error_code error;
  const auto status = fs::status(path, error);
  check_input(fs::exists(status), "{}: no such file", path.string());
  check_input(!fs::is_directory(status), "{}: expected a file but it is a folder", path.string());
  std::ifstream in(path, std::ios::binary);
  check_input(in.good(), "{}: cannot be opened: {}", path.string(), std::strerror(errno));
  const auto size = fs::file_size(path, error);
  check_input(!error && size <= limit, "{}: expected at most {} bytes", path.string(), limit);
  std::string content(size, '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  check_input(static_cast<uint64_t>(in.gcount()) == size, "{}: expected {} bytes but could read only {}",
              path.string(), size, in.gcount());
  return content;
}

Json read_json(const fs::path& path) {
  const std::string text = read_file(path, 1 << 28);
  try {
    return Json::parse(text);
  } catch (const Json::out_of_range&) {
    fail(ErrorKind::input, "{}: holds a number that is out of range", path.string());
  } catch (const Json::parse_error& e) {
    fail(ErrorKind::input, "{}: byte {}: not valid JSON", path.string(), e.byte);
  }
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path&)>& produce) {
  check_stop();
  make_parent(path);
  Unfinished unfinished(temporary_beside(path));
  produce(unfinished.path());
  sync_path(unfinished.path());
  check_stop();
  unfinished.put_in_place([&] { rename_over(unfinished.path(), path); });
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [&](const fs::path& temporary) {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out)
      fail(ErrorKind::resource, "{}: cannot be opened for writing: {}", path.string(), std::strerror(errno));
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    if (!out) fail(ErrorKind::resource, "{}: cannot be written: {}", path.string(), std::strerror(errno));
  });
}

void write_folder_atomically(const fs::path& path, const std::function<void(const fs::path&)>& fill) {
  check_stop();
  make_parent(path);
  const fs::path temporary = temporary_beside(path);
  std::error_code error;
  fs::remove_all(temporary, error);
  Unfinished unfinished(temporary);
  fs::create_directories(temporary, error);
  if (error)
    fail(ErrorKind::resource, "{}: cannot create a folder beside it: {}", path.string(), error.message());
  fill(temporary);
  for (const auto& entry : fs::recursive_directory_iterator(temporary)) sync_path(entry.path());
  const fs::path old = path.parent_path() / fmt::format(".{}.old-{}", path.filename().string(), ::getpid());
  const bool replaced = fs::exists(path);
  check_stop();
  // A folder cannot be renamed over a full one: move the old one aside first, remove it last.
  unfinished.put_in_place([&] {
    if (replaced) rename_over(path, old);
    rename_over(temporary, path);
  });
  if (replaced) fs::remove_all(old, error);
  sync_path(path.parent_path().empty() ? fs::path(".") : path.parent_path());
}

}  // namespace fokker
