#include "fokker/data/array/zip.h"

#include <zlib.h>

#include <cstring>
#include <set>

#include "fokker/core/check.h"
#include "fokker/data/array/inflate.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr uint32_t in_zip64 = 0xffffffff;

/// A piece of the file in memory; `get` refuses to look outside it.
class Block {
 public:
  Block(const fs::path& path, uint64_t offset, uint64_t length) : name_(path.string()), bytes_(length, '\0') {
    open_bytes(path, offset, length)->read(bytes_.data(), length);
  }
  template <typename T>
  T get(uint64_t at) const {
    T value;
    check_input(bytes_.size() >= sizeof value && at <= bytes_.size() - sizeof value,
                "{}: its zip directory is damaged: a record ends outside it", name_);
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  std::string text(uint64_t at, uint64_t length) const {
    check_input(at <= bytes_.size() && length <= bytes_.size() - at,
                "{}: its zip directory is damaged: a name ends outside it", name_);
    return bytes_.substr(at, length);
  }
  uint64_t size() const { return bytes_.size(); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string name_;
  std::string bytes_;
};

struct DirectoryPlace {
  uint64_t offset;
  uint64_t length;
  uint64_t entries;
};

DirectoryPlace find_directory(const fs::path& path, uint64_t file_size) {
  // The end record is 22 bytes and a comment of at most 65535; the Zip64 locator stands 20 bytes before it.
  const uint64_t tail_size = std::min<uint64_t>(file_size, 22 + 65535 + 20);
  const uint64_t tail_start = file_size - tail_size;
  const Block tail(path, tail_start, tail_size);
  const size_t end = tail.bytes().rfind("PK\5\6");
  check_input(end != std::string::npos && end + 22 <= tail.size(),
              "{}: expected an NPZ (zip) archive but it has no end record: not a zip file, or truncated",
              path.string());
  DirectoryPlace place{tail.get<uint32_t>(end + 16), tail.get<uint32_t>(end + 12),
                       tail.get<uint16_t>(end + 10)};
  const bool zip64 = place.offset == in_zip64 || place.length == in_zip64 || place.entries == 0xffff;
  if (zip64 && end >= 20 && tail.get<uint32_t>(end - 20) == 0x07064b50) {
    const Block record(path, tail.get<uint64_t>(end - 12), 56);
    place = {record.get<uint64_t>(48), record.get<uint64_t>(40), record.get<uint64_t>(32)};
  }
  check_input(place.offset <= file_size && place.length <= file_size - place.offset &&
                  place.entries <= place.length / 46,
              "{}: its zip directory is damaged: it claims {} entries in {} bytes at byte {} of {}",
              path.string(), place.entries, place.length, place.offset, file_size);
  return place;
}

/// The Zip64 extra field holds, in this order, those of size, compressed size and offset that do not fit.
void read_zip64_extra(const Block& block, uint64_t at, uint64_t end, ZipEntry& entry) {
  while (at + 4 <= end) {
    const uint64_t next = at + 4 + block.get<uint16_t>(at + 2);
    if (block.get<uint16_t>(at) == 1) {
      uint64_t field = at + 4;
      for (uint64_t* value : {&entry.size, &entry.compressed_size, &entry.offset})
        if (*value == in_zip64) *value = block.get<uint64_t>(std::exchange(field, field + 8));
      return;
    }
    at = next;
  }
}

void check_entry(const ZipEntry& entry, int flags, const std::string& name, uint64_t file_size) {
  check_input((flags & 1) == 0, "{}: entry '{}' is encrypted", name, entry.name);
  check_input(entry.method == 0 || entry.method == 8,
              "{}: entry '{}': expected a stored or deflated entry but its compression method is {}", name,
              entry.name, entry.method);
  check_input(entry.offset <= file_size && entry.compressed_size <= file_size - entry.offset,
              "{}: entry '{}' claims {} but the file has {}", name, entry.name,
              describe_bytes(entry.compressed_size), describe_bytes(file_size));
  const bool possible = entry.method == 0 ? entry.size == entry.compressed_size
                                          : entry.size / 1032 <= entry.compressed_size + 64;
  check_input(possible, "{}: entry '{}' claims {}, which its {} of compressed data cannot hold", name,
              entry.name, describe_bytes(entry.size), describe_bytes(entry.compressed_size));
}

class ZipEntryReader : public ByteReader {
 public:
  ZipEntryReader(std::string name, std::unique_ptr<ByteReader> content, const ZipEntry& entry)
      : ByteReader(std::move(name)), content_(std::move(content)), entry_(entry) {}
  Remaining remaining() const override { return {entry_.size - position(), true}; }

 private:
  size_t do_read(void* out, size_t count) override {
    count = std::min<uint64_t>(count, entry_.size - position());
    const size_t done = content_->read_some(out, count);
    crc_ = static_cast<uint32_t>(crc32_z(crc_, static_cast<const Bytef*>(out), done));
    if (done > 0 && position() + done == entry_.size)
      check_input(crc_ == entry_.crc, "{}: damaged: its checksum does not agree", name());
    return done;
  }
  std::unique_ptr<ByteReader> content_;
  ZipEntry entry_;
  uint32_t crc_ = 0;
};

}  // namespace

std::vector<ZipEntry> read_zip_directory(const fs::path& path) {
  const Remaining file = open_bytes(path)->remaining();
  check_input(file.exact, "{}: expected a regular file for a zip archive", path.string());
  const DirectoryPlace place = find_directory(path, file.at_most);
  const Block block(path, place.offset, place.length);
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  uint64_t at = 0, total = 0;
  for (uint64_t i = 0; i < place.entries; ++i) {
    check_input(block.get<uint32_t>(at) == 0x02014b50, "{}: its zip directory is damaged at entry {}",
                path.string(), i);
    const uint64_t name_length = block.get<uint16_t>(at + 28);
    const uint64_t extra_length = block.get<uint16_t>(at + 30);
    ZipEntry entry{.name = block.text(at + 46, name_length),
                   .method = block.get<uint16_t>(at + 10),
                   .crc = block.get<uint32_t>(at + 16),
                   .compressed_size = block.get<uint32_t>(at + 20),
                   .size = block.get<uint32_t>(at + 24),
                   .offset = block.get<uint32_t>(at + 42)};
    read_zip64_extra(block, at + 46 + name_length, at + 46 + name_length + extra_length, entry);
    check_entry(entry, block.get<uint16_t>(at + 8), path.string(), file.at_most);
    // Entries that share bytes would let a small file unfold without end.
    total += entry.compressed_size;
    check_input(total <= file.at_most, "{}: its zip entries overlap", path.string());
    check_input(names.insert(entry.name).second, "{}: two entries are named '{}'", path.string(), entry.name);
    at += 46 + name_length + extra_length + block.get<uint16_t>(at + 32);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::unique_ptr<ByteReader> open_zip_entry(const fs::path& path, const ZipEntry& entry) {
  const Block header(path, entry.offset, 30);
  check_input(header.get<uint32_t>(0) == 0x04034b50, "{}: entry '{}' has no local header at byte {}",
              path.string(), entry.name, entry.offset);
  const uint64_t start = entry.offset + 30 + header.get<uint16_t>(26) + header.get<uint16_t>(28);
  auto content = open_bytes(path, start, entry.compressed_size);
  if (entry.method == 8) content = inflate(std::move(content), Compression::deflate);
  return std::make_unique<ZipEntryReader>(path.string() + ": " + entry.name, std::move(content), entry);
}

}  // namespace fokker
