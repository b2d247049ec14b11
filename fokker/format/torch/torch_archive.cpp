#include "fokker/format/torch/torch_archive.h"

#include <array>

#include "fokker/core/check.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Of a hundred thousand tensors it is 20 MB.
constexpr uint64_t longest_pickle = uint64_t{1} << 26;

struct StorageClass {
  const char* global;
  at::ScalarType type;
};
constexpr StorageClass storage_classes[] = {
    {"torch.DoubleStorage", at::kDouble}, {"torch.FloatStorage", at::kFloat},
    {"torch.HalfStorage", at::kHalf},     {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},     {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort},   {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},     {"torch.BoolStorage", at::kBool}};

/// What stands in checkpoints beside tensors and is read as a call that nobody makes.
constexpr std::string_view harmless_globals[] = {rebuild_tensor, rebuild_parameter, "torch.Size",
                                                 "torch.device", "_codecs.encode",  tensor_dataset};

bool is_known(std::string_view global) {
  return storage_type(global) != at::ScalarType::Undefined ||
         std::find(std::begin(harmless_globals), std::end(harmless_globals), global) !=
             std::end(harmless_globals);
}

std::string first_bytes(const fs::path& path) {
  std::array<char, 16> bytes{};
  const auto reader = open_bytes(path);
  return {bytes.data(), reader->read_some(bytes.data(), bytes.size())};
}

/// Names what it is where that is known.
void check_kind(const fs::path& path) {
  const std::string start = first_bytes(path);
  check_input(
      !start.starts_with("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"),
      "{}: written in PyTorch's format from before 1.6, which is not read: load it there and torch.save "
      "it again",
      path.string());
  check_input(
      start.empty() || start[0] != '\x80',
      "{}: a plain pickle, which may run any program when it is loaded and is not read: load it where "
      "you trust it and torch.save its state_dict()",
      path.string());
  check_input(start.starts_with("PK"), "{}: expected a zip archive as torch.save writes it", path.string());
}

std::string read_entry(const fs::path& path, const ZipEntry& entry, uint64_t longest) {
  check_input(entry.size <= longest, "{}: {}: expected at most {} but it has {}", path.string(), entry.name,
              describe_bytes(longest), describe_bytes(entry.size));
  const auto reader = open_zip_entry(path, entry);
  std::string text;
  // Grows with the bytes that exist, not with those that the directory claims.
  for (size_t read = 1; read > 0 && text.size() < entry.size;) {
    const size_t start = text.size();
    text.resize(std::min<uint64_t>(entry.size, start + (1 << 20)));
    read = reader->read_some(text.data() + start, text.size() - start);
    text.resize(start + read);
  }
  check_input(text.size() == entry.size, "{}: truncated", reader->name());
  return text;
}

bool reads_big_endian(const fs::path& path, const ZipEntry& entry) {
  const std::string order = read_entry(path, entry, 16);
  check_input(order == "little" || order == "big", "{}: {}: expected \"little\" or \"big\"", path.string(),
              entry.name);
  return order == "big";
}

}  // namespace

at::ScalarType storage_type(std::string_view global) {
  for (const auto& [name, type] : storage_classes)
    if (name == global) return type;
  return at::ScalarType::Undefined;
}

TorchArchive open_torch_archive(const fs::path& path) {
  check_kind(path);
  TorchArchive archive{.path = path, .storages = {}, .pickle = {}};
  const std::vector<ZipEntry> entries = read_zip_directory(path);
  const auto pickle = std::find_if(entries.begin(), entries.end(), [](const ZipEntry& entry) {
    return entry.name.ends_with("/data.pkl") && entry.name.find('/') + 9 == entry.name.size();
  });
  check_input(pickle != entries.end(),
              "{}: expected an archive of torch.save but it has no data.pkl in a folder", path.string());
  const std::string folder = pickle->name.substr(0, pickle->name.size() - 8);
  for (const ZipEntry& entry : entries) {
    if (!entry.name.starts_with(folder)) continue;
    const std::string name = entry.name.substr(folder.size());
    check_input(!name.starts_with("code/") && name != "constants.pkl",
                "{}: a TorchScript program, which is not read: save its state_dict() with torch.save",
                path.string());
    if (name.starts_with("data/")) archive.storages.emplace(name.substr(5), entry);
    if (name == "byteorder") archive.big_endian = reads_big_endian(path, entry);
  }
  archive.pickle =
      read_pickle(read_entry(path, *pickle, longest_pickle), path.string() + ": " + pickle->name, is_known);
  return archive;
}

}  // namespace fokker
