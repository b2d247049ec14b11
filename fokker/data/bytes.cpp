#include "fokker/data/bytes.h"

#include <sys/stat.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "fokker/core/check.h"

namespace fokker {
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the file formats here are little endian");

namespace {

constexpr uint64_t unknown = std::numeric_limits<uint64_t>::max();

class FileReader : public ByteReader {
 public:
  explicit FileReader(const fs::path& path) : ByteReader(path.string()), file_(open_for_reading(path)) {
    struct stat status {};
    if (::fstat(fileno(file_.get()), &status) == 0 && S_ISREG(status.st_mode))
      length_ = static_cast<uint64_t>(status.st_size);
  }
  FileReader(const fs::path& path, uint64_t offset, uint64_t length) : FileReader(path) {
    check_input(length_ != unknown && offset <= length_ && length <= length_ - offset &&
                    ::fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) == 0,
                "{}: expected {} at byte {} but the file ends before", name(), describe_bytes(length),
                offset);
    length_ = length;
  }
  Remaining remaining() const override {
    if (length_ == unknown) return {unknown, false};
    return {length_ - std::min(length_, position()), true};
  }

 private:
  size_t do_read(void* out, size_t count) override {
    count = static_cast<size_t>(std::min<uint64_t>(count, remaining().at_most));
    const size_t done = std::fread(out, 1, count, file_.get());
    check_input(done == count || !std::ferror(file_.get()), "{}: cannot be read: {}", name(),
                std::strerror(errno));
    return done;
  }
  FileHandle file_;
  uint64_t length_ = unknown;
};

/// For a reader that cannot tell its length: at most doubles what has been seen to exist.
Tensor read_growing(ByteReader& reader, uint64_t bytes) {
  constexpr uint64_t first = 16 << 20;
  auto capacity = std::min(bytes, first);
  Tensor buffer = allocate(reader.name(), {static_cast<int64_t>(capacity)}, at::kByte);
  uint64_t filled = 0;
  for (;;) {
    filled += reader.read_some(buffer.data_ptr<uint8_t>() + filled, capacity - filled);
    if (filled == bytes) return buffer;
    check_input(filled == capacity, "{}: truncated: its header claims {} of data but only {} follow",
                reader.name(), describe_bytes(bytes), describe_bytes(filled));
    capacity = std::min(bytes, 2 * capacity);
    Tensor larger = allocate(reader.name(), {static_cast<int64_t>(capacity)}, at::kByte);
    std::memcpy(larger.data_ptr<uint8_t>(), buffer.data_ptr<uint8_t>(), filled);
    buffer = larger;
  }
}

}  // namespace

size_t ByteReader::read_some(void* out, size_t count) {
  size_t done = 0;
  while (done < count) {
    const size_t piece = do_read(static_cast<char*>(out) + done, count - done);
    if (piece == 0) break;
    done += piece;
    position_ += piece;
  }
  return done;
}

void ByteReader::read(void* out, size_t count) {
  const uint64_t start = position_;
  const size_t done = read_some(out, count);
  check_input(done == count, "{}: truncated: expected {} at byte {} but only {} follow", name_,
              describe_bytes(count), start, describe_bytes(done));
}

void ByteReader::expect_end() {
  char extra = 0;
  const uint64_t end = position_;
  check_input(read_some(&extra, 1) == 0, "{}: expected the file to end at byte {} but more follows", name_,
              end);
}

FileHandle open_for_reading(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  check_input(fs::exists(status), "{}: no such file", path.string());
  check_input(!fs::is_directory(status), "{}: expected a file but it is a folder", path.string());
  FileHandle file(std::fopen(path.c_str(), "rbe"));
  check_input(file != nullptr, "{}: cannot be opened: {}", path.string(), std::strerror(errno));
  return file;
}

std::unique_ptr<ByteReader> open_bytes(const fs::path& path) {
  return std::make_unique<FileReader>(path);
}

std::unique_ptr<ByteReader> open_bytes(const fs::path& path, uint64_t offset, uint64_t length) {
  return std::make_unique<FileReader>(path, offset, length);
}

FileWriter::FileWriter(const fs::path& path, std::string shown)
    : shown_(std::move(shown)), file_(std::fopen(path.c_str(), "wbe")) {
  if (!file_) fail(ErrorKind::resource, "{}: cannot be opened for writing: {}", shown_, std::strerror(errno));
}

void FileWriter::fail_write() const {
  fail(ErrorKind::resource, "{}: cannot be written: {}", shown_, std::strerror(errno));
}

void FileWriter::write(const void* data, uint64_t count) {
  if (count > 0 && std::fwrite(data, 1, count, file_.get()) != count) fail_write();
}

void FileWriter::write_at(uint64_t position, const void* data, uint64_t count) {
  if (::fseeko(file_.get(), static_cast<off_t>(position), SEEK_SET) != 0) fail_write();
  write(data, count);
}

void FileWriter::close() {
  if (std::fclose(file_.release()) != 0) fail_write();
}

std::string describe_bytes(uint64_t bytes) {
  std::string text = fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  constexpr const char* units[] = {"MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / (1 << 20);
  if (value < 1) return text;
  size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  return text + fmt::format(" ({:.1f} {})", value, units[unit]);
}

uint64_t byte_count(const std::string& name, IntArrayRef shape, uint64_t item_size) {
  int64_t total = static_cast<int64_t>(item_size);
  bool empty = false;
  for (const int64_t size : shape) {
    check_input(size >= 0, "{}: expected sizes of at least 0 but its header claims the shape {}", name,
                shape_string(shape));
    empty = empty || size == 0;
    // A zero elsewhere does not excuse sizes whose product libtorch could not hold in strides.
    check_input(size == 0 || !__builtin_mul_overflow(total, size, &total),
                "{}: its header claims the shape {}, too large for any file", name, shape_string(shape));
  }
  return empty ? 0 : static_cast<uint64_t>(total);
}

Tensor allocate(const std::string& name, IntArrayRef shape, at::ScalarType type) {
  try {
    return at::empty(shape, at::TensorOptions(type));
  } catch (const c10::Error&) {
    fail(ErrorKind::resource, "{}: not enough memory for {} {} values", name, shape_string(shape),
         at::toString(type));
  }
}

Tensor read_tensor(ByteReader& reader, IntArrayRef shape, at::ScalarType type) {
  const uint64_t bytes = byte_count(reader.name(), shape, at::elementSize(type));
  const Remaining left = reader.remaining();
  check_input(bytes <= left.at_most,
              "{}: truncated: its header claims {} of data, shape {}, but {} {} follow", reader.name(),
              describe_bytes(bytes), shape_string(shape), left.exact ? "only" : "at most",
              describe_bytes(left.at_most));
  // A byte other than 0 or 1 is no valid bool in C++, so bools are read as bytes.
  if (type == at::kBool) return read_tensor(reader, shape, at::kByte).ne(0);
  if (!left.exact) return read_growing(reader, bytes).view(type).reshape(shape);
  Tensor tensor = allocate(reader.name(), shape, type);
  reader.read(tensor.data_ptr(), bytes);
  return tensor;
}

}  // namespace fokker
