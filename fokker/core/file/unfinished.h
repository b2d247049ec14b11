#pragma once
#include <filesystem>
#include <functional>

namespace fokker {

/// A file or folder that is being written under a name of its own. Unless it is put in place, it is removed
/// with this object, or by remove_unfinished where the process has to end first.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path path);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Does what puts it in place; afterwards it is nobody's to remove. remove_unfinished does not fall in
  /// between. Where `work` throws, it is as before.
  void put_in_place(const std::function<void()>& work);

 private:
  std::filesystem::path path_;
  bool open_ = true;
};

/// Removes every unfinished file and folder of the process, which must end right after: from now on nothing
/// can be put in place. For a thread that watches over the others; not safe in a signal handler.
void remove_unfinished();

}  // namespace fokker
