#include "fokker/core/file/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/core/file/leftovers.h"
#include "fokker/core/file/shown.h"
#include "fokker/core/file/sync.h"
#include "fokker/core/file/unfinished.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void make_parent(const fs::path& path) {
  if (!path.has_parent_path()) return;
  std::vector<fs::path> made;
  std::error_code error;
  for (fs::path at = path.parent_path(); !at.empty() && !fs::exists(at, error); at = at.parent_path())
    made.push_back(at);
  fs::create_directories(path.parent_path(), error);
  if (error)
    fail(ErrorKind::resource, "{}: cannot create the folder: {}", path.parent_path().string(),
         error.message());
  for (const fs::path& folder : made) sync_path(folder_of(folder));
}

void rename_over(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail(ErrorKind::resource, "{}: cannot be put in place: {}", to.string(), error.message());
}

/// Removes what killed processes left of `path`, or where it is empty of anything.
void remove_leftovers(const std::vector<Leftover>& leftovers, const fs::path& path) {
  std::error_code ignored;
  for (const Leftover& leftover : leftovers) {
    const bool asked = path.empty() || leftover.meant.filename() == path.filename();
    // A predecessor whose successor is missing is all that there is.
    if (asked && !leftover.owned && (!leftover.predecessor || fs::exists(leftover.meant, ignored)))
      fs::remove_all(leftover.path, ignored);
  }
}

/// The same of a file. Folders may hold many files: each is looked through once per process.
void remove_old_attempts(const fs::path& path) {
  static std::mutex mutex;
  static std::map<fs::path, std::vector<Leftover>> seen;
  const std::lock_guard lock(mutex);
  const auto [found, unseen] = seen.try_emplace(fs::absolute(folder_of(path)));
  if (unseen) found->second = leftovers_in(path.parent_path());
  remove_leftovers(found->second, path);
}

std::pair<time_t, long> changed_at(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  return {status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
}

/// Gives two paths each other's content in one step; false where the file system cannot.
bool exchange(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == ENOENT || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return false;
  fail(ErrorKind::resource, "{}: cannot be replaced: {}", b.string(), std::strerror(errno));
}

/// Renames a full folder to `path`; returns where the predecessor is now, if there was one. Another process
/// may put a predecessor back, or write too, at any time: then again.
fs::path put_in_place(const fs::path& temporary, const fs::path& path) {
  constexpr int most_attempts = 100;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) break;
    if (exchange(temporary, path)) return temporary;
    const fs::path old = predecessor_beside(path);
    if (::rename(path.c_str(), old.c_str()) != 0 && errno != ENOENT) break;
    if (::rename(temporary.c_str(), path.c_str()) == 0) return old;
    const int code = errno;
    ::rename(old.c_str(), path.c_str());  // fails where another process did it
    errno = code;
  }
  fail(ErrorKind::resource, "{}: cannot be put in place: {}", path.string(), std::strerror(errno));
}

}  // namespace

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == EACCES) return;  // of a folder that may be written but not listed
  const int result = descriptor < 0 ? -1 : ::fsync(descriptor);
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  // Some file systems refuse fsync on folders; that is no loss of data.
  if (result != 0 && code != EINVAL)
    fail(ErrorKind::resource, "{}: cannot be written to disk: {}", path.string(), std::strerror(code));
}

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
  remove_old_attempts(path);
  Unfinished unfinished(temporary_beside(path));
  produce(unfinished.path());
  sync_path(unfinished.path());
  check_stop();
  unfinished.put_in_place([&] { rename_over(unfinished.path(), path); });
  sync_path(folder_of(path));
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
  recover_folder(path);
  remove_leftovers(leftovers_in(path.parent_path()), path);
  const fs::path temporary = temporary_beside(path);
  std::error_code error;
  Unfinished unfinished(temporary);
  fs::create_directory(temporary, error);
  if (error)
    fail(ErrorKind::resource, "{}: cannot create a folder beside it: {}", path.string(), error.message());
  with_errors_of(path, temporary, [&] { fill(temporary); });
  for (const auto& entry : fs::recursive_directory_iterator(temporary)) sync_path(entry.path());
  sync_path(temporary);
  check_stop();
  fs::path old;
  unfinished.put_in_place([&] { old = put_in_place(temporary, path); });
  sync_path(folder_of(path));
  if (!old.empty()) fs::remove_all(old, error);
}

void remove_folder_atomically(const fs::path& path) {
  const fs::path hidden = temporary_beside(path);
  std::error_code error;
  fs::rename(path, hidden, error);
  fs::remove_all(error ? path : hidden, error);
}

void recover_folder(const fs::path& path) {
  std::error_code error;
  constexpr int most_waits = 100;
  // A process that still runs between its renames needs a moment; one that was killed never ends it.
  for (int wait = 0; wait < most_waits && !fs::exists(path, error); ++wait) {
    bool owned = false;
    fs::path newest;
    for (const Leftover& leftover : leftovers_in(path.parent_path())) {
      if (!leftover.predecessor || leftover.meant.filename() != path.filename()) continue;
      owned = owned || leftover.owned;
      if (newest.empty() || changed_at(leftover.path) > changed_at(newest)) newest = leftover.path;
    }
    if (newest.empty()) return;
    if (owned)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    else if (::rename(newest.c_str(), path.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY)
      fail(ErrorKind::resource, "{}: only {} is left of it, which cannot be put back: {}", path.string(),
           newest.filename().string(), std::strerror(errno));
  }
}

void recover_contents(const fs::path& folder) {
  const auto all = leftovers_in(folder);
  for (const Leftover& leftover : all)
    if (leftover.predecessor) recover_folder(leftover.meant);
  remove_leftovers(all, {});
}

}  // namespace fokker
