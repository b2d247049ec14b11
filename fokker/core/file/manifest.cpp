#include "fokker/core/file/manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

// Compiled in: nothing of it reaches those who link this library.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr int manifest_format = 1;
constexpr const char* checksum_name = "xxh128";

struct ManifestEntry {
  std::string name;
  uint64_t size = 0;
  std::string checksum;
};

/// A file that is open for reading.
class OpenFile {
 public:
  explicit OpenFile(const fs::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool good() const { return descriptor_ >= 0; }
  ssize_t read(std::vector<char>& block) const { return ::read(descriptor_, block.data(), block.size()); }

 private:
  int descriptor_;
};

/// Whether it is the content that cannot be had, and not the permission or the means.
bool is_damage(int code) {
  return code == ENOENT || code == ENOTDIR || code == EISDIR || code == EIO || code == ELOOP;
}

[[noreturn]] void fail_reading(const fs::path& path, int code) {
  const std::string text = fmt::format("{}: cannot be read: {}", path.string(), std::strerror(code));
  if (is_damage(code)) throw DamageError(text);
  throw Error(ErrorKind::input, text);
}

std::string hexadecimal(XXH128_hash_t hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

/// Of a whole file, read block by block.
ManifestEntry measure(const fs::path& folder, const std::string& name) {
  const OpenFile file(folder / name);
  if (!file.good()) fail_reading(folder / name, errno);
  // On the heap, as it wants 64 bytes of alignment and is too large for a small stack.
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  if (!state) fail(ErrorKind::resource, "out of memory");
  XXH3_128bits_reset(state.get());
  std::vector<char> block(1 << 18);
  ManifestEntry entry{.name = name, .size = 0, .checksum = {}};
  for (;;) {
    const ssize_t count = file.read(block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_reading(folder / name, errno);
    if (count == 0) break;
    XXH3_128bits_update(state.get(), block.data(), static_cast<size_t>(count));
    entry.size += static_cast<uint64_t>(count);
  }
  entry.checksum = hexadecimal(XXH3_128bits_digest(state.get()));
  return entry;
}

std::string manifest_text(const std::vector<ManifestEntry>& entries) {
  Json files = Json::array();
  for (const ManifestEntry& entry : entries)
    files.push_back({{"name", entry.name}, {"size", entry.size}, {checksum_name, entry.checksum}});
  Json json = {{"format", manifest_format}, {"checksum", checksum_name}, {"files", files}};
  // Of what stands before it, so that damage of a name is not taken for a file that is missing.
  const std::string text = json_text(json);
  json["manifest"] = hexadecimal(XXH3_128bits(text.data(), text.size()));
  return json_text(json, 2) + "\n";
}

/// Whether a name stays in its folder.
bool stays_inside(const fs::path& name) {
  return !name.empty() && name.is_relative() &&
         std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

/// Nothing unless the text is, to the byte, what would be written of what it says.
std::optional<std::vector<ManifestEntry>> parse_manifest(const std::string& text) try {
  const Json json = Json::parse(text);
  std::vector<ManifestEntry> entries;
  entries.reserve(json.at("files").size());
  for (const Json& file : json.at("files")) {
    ManifestEntry entry{.name = file.at("name"), .size = file.at("size"), .checksum = file.at(checksum_name)};
    if (!stays_inside(entry.name)) return {};
    entries.push_back(std::move(entry));
  }
  if (manifest_text(entries) != text) return {};
  return entries;
} catch (const Json::exception&) {
  return {};
}

/// A line where a file is not as it was; nothing where it is.
std::optional<std::string> damage_of(const fs::path& folder, const ManifestEntry& expected) {
  const std::string file = (folder / expected.name).string();
  std::error_code error;
  const auto status = fs::status(folder / expected.name, error);
  if (status.type() == fs::file_type::not_found) return file + ": is missing";
  // A size tells a truncated file from a changed one, before it is read.
  if (const uint64_t size = fs::is_regular_file(status) ? fs::file_size(folder / expected.name, error) : 0;
      !error && size != expected.size)
    return fmt::format("{}: is damaged: expected {} bytes but it has {}", file, expected.size, size);
  try {
    const ManifestEntry found = measure(folder, expected.name);
    if (found.checksum == expected.checksum) return {};
    return fmt::format("{}: is damaged: expected bytes of the checksum {} but theirs is {}", file,
                       expected.checksum, found.checksum);
  } catch (const DamageError& damage) {
    return damage.what();
  }
}

}  // namespace

void write_manifest(const fs::path& folder, const std::vector<std::string>& files) {
  std::vector<ManifestEntry> entries;
  entries.reserve(files.size());
  for (const std::string& name : files) entries.push_back(measure(folder, name));
  write_file_atomically(folder / manifest_name, manifest_text(entries));
}

std::vector<std::string> manifest_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / manifest_name, error)) return {};
  const auto entries = parse_manifest(read_file(folder / manifest_name, 1 << 28));
  if (!entries) return {};
  std::vector<std::string> names;
  names.reserve(entries->size());
  for (const ManifestEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

Verification verify_folder(const fs::path& folder, const std::string& only) {
  Verification result;
  const fs::path file = folder / manifest_name;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(file, error))) return result;
  result.recorded = true;
  const auto entries = parse_manifest(read_file(file, 1 << 28));
  if (!entries) {
    result.damage.push_back(file.string() + ": is damaged: it is not as it was written");
    return result;
  }
  for (const ManifestEntry& entry : *entries) {
    if (!only.empty() && entry.name != only) continue;
    result.files.push_back(entry.name);
    result.bytes += entry.size;
    if (auto damage = damage_of(folder, entry)) result.damage.push_back(std::move(*damage));
  }
  return result;
}

bool check_manifest(const fs::path& folder, const std::string& only) {
  const Verification found = verify_folder(folder, only);
  if (!found.damage.empty()) throw DamageError(found.damage.front());
  return found.recorded;
}

}  // namespace fokker
