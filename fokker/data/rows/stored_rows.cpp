#include "fokker/data/rows/stored_rows.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fokker/core/check.h"
#include "fokker/data/array/npy_type.h"

namespace fokker {
namespace {

FileState state_of(const struct stat& status) {
  return {static_cast<uint64_t>(status.st_size),
          static_cast<int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

/// A file that stays open, and must stay as it was.
class UnchangedFile {
 public:
  UnchangedFile(const std::filesystem::path& path, std::string shown)
      : shown_(std::move(shown)), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    check_input(descriptor_ >= 0, "{}: cannot be opened: {}", shown_, std::strerror(errno));
    state_ = now();
  }
  ~UnchangedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  UnchangedFile(const UnchangedFile&) = delete;
  UnchangedFile& operator=(const UnchangedFile&) = delete;

  const std::string& shown() const { return shown_; }
  const FileState& state() const { return state_; }
  void check_unchanged() const {
    check_input(now() == state_,
                "{}: it was changed while its rows were in use: expected it as it was, of {} bytes", shown_,
                state_.size);
  }
  void read(void* out, uint64_t count, uint64_t offset) const {
    auto* bytes = static_cast<char*>(out);
    while (count > 0) {
      const ssize_t piece = ::pread(descriptor_, bytes, count, static_cast<off_t>(offset));
      if (piece < 0 && errno == EINTR) continue;
      check_input(piece >= 0, "{}: cannot be read at byte {}: {}", shown_, offset, std::strerror(errno));
      check_input(piece > 0,
                  "{}: it was cut short while its rows were in use: it ends at byte {} but had {} bytes",
                  shown_, offset, state_.size);
      bytes += piece;
      offset += static_cast<uint64_t>(piece);
      count -= static_cast<uint64_t>(piece);
    }
  }

 private:
  FileState now() const {
    struct stat status {};
    check_input(::fstat(descriptor_, &status) == 0, "{}: cannot be read: {}", shown_, std::strerror(errno));
    return state_of(status);
  }
  std::string shown_;
  int descriptor_;
  FileState state_;
};

class StoredRows final : public RowSource {
 public:
  StoredRows(const std::filesystem::path& path, const std::string& shown, const StoredForm& form)
      : RowSource(form.rows), file_(path, shown), offset_(form.offset) {
    width_ = at::elementSize(type());
    for (const int64_t size : event_shape()) width_ *= static_cast<uint64_t>(size);
  }

 private:
  Tensor make(int64_t count) const {
    std::vector<int64_t> shape = {count};
    shape.insert(shape.end(), event_shape().begin(), event_shape().end());
    return at::empty(shape, at::TensorOptions(type()));
  }
  void read(char* out, int64_t first, int64_t count) const {
    file_.read(out, static_cast<uint64_t>(count) * width_, offset_ + static_cast<uint64_t>(first) * width_);
  }
  Tensor do_rows(const Tensor& indices) const override {
    const Tensor order = indices.contiguous();
    const auto* row = order.data_ptr<int64_t>();
    const int64_t n = order.size(0);
    Tensor values = make(n);
    auto* out = static_cast<char*>(values.data_ptr());
    for (int64_t i = 0, count = 0; i < n; i += count) {
      for (count = 1; i + count < n && row[i + count] == row[i] + count;) ++count;
      read(out + static_cast<uint64_t>(i) * width_, row[i], count);
    }
    file_.check_unchanged();
    return values;
  }
  Tensor do_block(int64_t first, int64_t count) const override {
    Tensor values = make(count);
    read(static_cast<char*>(values.data_ptr()), first, count);
    file_.check_unchanged();
    return values;
  }
  UnchangedFile file_;
  uint64_t offset_, width_;  ///< in bytes
};

bool is_gzip(ByteReader& reader) {
  unsigned char start[2] = {};
  return reader.read_some(start, 2) == 2 && start[0] == 0x1f && start[1] == 0x8b;
}

}  // namespace

FileState state_of_file(const std::filesystem::path& path) {
  struct stat status {};
  check_input(::stat(path.c_str(), &status) == 0, "{}: cannot be read: {}", path.string(),
              std::strerror(errno));
  return state_of(status);
}

Rows open_stored_rows(const std::filesystem::path& path, const std::string& shown, const StoredForm& form) {
  std::vector<int64_t> shape = {form.rows.count};
  shape.insert(shape.end(), form.rows.event_shape.begin(), form.rows.event_shape.end());
  const uint64_t bytes = byte_count(shown, shape, at::elementSize(form.rows.type));
  const uint64_t size = state_of_file(path).size;
  check_input(size >= form.offset && size - form.offset >= bytes,
              "{}: truncated: its header claims {} of data, shape {}, but only {} follow", shown,
              describe_bytes(bytes), shape_string(shape), describe_bytes(size - std::min(size, form.offset)));
  check_input(size - form.offset == bytes, "{}: expected the file to end at byte {} but more follows", shown,
              form.offset + bytes);
  return std::make_shared<StoredRows>(path, shown, form);
}

Rows open_npy_rows(const std::filesystem::path& path, std::string& why_not) {
  why_not = "it is compressed";
  if (is_gzip(*open_bytes(path))) return nullptr;
  const auto reader = open_bytes(path);
  const std::string& name = reader->name();
  const NpyHeader header = read_npy_header(*reader);
  const NpyType type = npy_type(header, name);
  why_not = "it is in Fortran order, so that its rows do not lie together (numpy.ascontiguousarray)";
  if (header.fortran_order && header.shape.size() > 1) return nullptr;
  why_not = "it holds one number";
  if (header.shape.empty()) return nullptr;
  const at::ScalarType stored = type.stored == at::kBool ? at::kByte : type.stored;
  const std::vector<int64_t> event(header.shape.begin() + 1, header.shape.end());
  Rows rows = open_stored_rows(path, name, {{header.shape[0], event, stored}, reader->position()});
  if (stored == type.result && !type.swapped && type.unsigned_mask == 0) return rows;
  return mapped_rows(std::move(rows), event, type.result, [type, name](const Tensor& bits) {
    return type.stored == at::kBool ? bits.ne(0) : as_read(bits, type, name);
  });
}

}  // namespace fokker
