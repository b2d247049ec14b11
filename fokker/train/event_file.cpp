#include "fokker/train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "fokker/core/check.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Castagnoli's polynomial, its bits reversed.
constexpr uint32_t castagnoli = 0x82f63b78;

constexpr std::array<uint32_t, 256> crc_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? castagnoli : 0);
    table[i] = value;
  }
  return table;
}();

/// As TFRecord keeps it, so that the check of bytes that hold checks is not trivial.
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

/// The number's bytes, the lowest first.
template <typename Unsigned>
std::string little_endian(Unsigned value) {
  std::string bytes;
  bytes.reserve(sizeof value);
  for (size_t i = 0; i < sizeof value; ++i) bytes.push_back(static_cast<char>(value >> 8 * i & 0xff));
  return bytes;
}

// The encoding of protocol buffers: a field is its number and wire type, then its value.

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7f) | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}
std::string field_key(int number, int wire_type) {
  return varint(static_cast<uint64_t>(number << 3 | wire_type));
}
std::string integer_field(int number, int64_t value) {
  return field_key(number, 0) + varint(static_cast<uint64_t>(value));
}
std::string double_field(int number, double value) {
  return field_key(number, 1) + little_endian(std::bit_cast<uint64_t>(value));
}
std::string float_field(int number, double value) {
  return field_key(number, 5) + little_endian(std::bit_cast<uint32_t>(static_cast<float>(value)));
}
std::string bytes_field(int number, std::string_view bytes) {
  return field_key(number, 2) + varint(bytes.size()) + std::string(bytes);
}
std::string doubles_field(int number, const std::vector<double>& values) {
  std::string packed;
  for (const double value : values) packed += little_endian(std::bit_cast<uint64_t>(value));
  return bytes_field(number, packed);
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// A new file; the number at its end tells two of one second and process apart.
int open_new(const fs::path& folder, fs::path& path) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  for (int use = 0;; ++use) {
    path = folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}", static_cast<int64_t>(wall_time()),
                                host.data(), ::getpid(), use);
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor >= 0) return descriptor;
    if (errno != EEXIST)
      fail(ErrorKind::resource, "{}: cannot be opened for writing: {}", path.string(), std::strerror(errno));
  }
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

EventFile::EventFile(const fs::path& folder, int64_t first_step) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::resource, "{}: cannot create the folder: {}", folder.string(), error.message());
  descriptor_ = open_new(folder, path_);
  write(double_field(1, wall_time()) + bytes_field(3, "brain.Event:2"));
  go_back(first_step);
}

EventFile::~EventFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventFile::write(std::string_view event) {
  const std::string length = little_endian(uint64_t{event.size()});
  const std::string record =
      length + little_endian(masked_crc(length)) + std::string(event) + little_endian(masked_crc(event));
  for (size_t done = 0; done < record.size();) {
    const ssize_t count = ::write(descriptor_, record.data() + done, record.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      fail(ErrorKind::resource, "{}: cannot be written: {}", path_.string(), std::strerror(errno));
    done += static_cast<size_t>(count);
  }
}

void EventFile::summary(int64_t step, std::string_view tag, std::string_view value) {
  const std::string labelled = bytes_field(1, tag) + std::string(value);
  write(double_field(1, wall_time()) + integer_field(2, step) + bytes_field(5, bytes_field(1, labelled)));
}

void EventFile::scalar(int64_t step, std::string_view tag, double value) {
  summary(step, tag, float_field(2, value));
}

void EventFile::png(int64_t step, std::string_view tag, int64_t width, int64_t height,
                    std::string_view bytes) {
  constexpr int64_t rgb = 3;
  summary(step, tag,
          bytes_field(4, integer_field(1, height) + integer_field(2, width) + integer_field(3, rgb) +
                             bytes_field(4, bytes)));
}

void EventFile::histogram(int64_t step, std::string_view tag, const EventHistogram& values) {
  check(!values.heights.empty() && values.edges.size() == values.heights.size() + 1,
        "event file: expected one edge more than heights but received {} and {}", values.edges.size(),
        values.heights.size());
  double total = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < values.heights.size(); ++i) {
    const double middle = (values.edges[i] + values.edges[i + 1]) / 2;
    total += values.heights[i];
    sum += values.heights[i] * middle;
    squares += values.heights[i] * middle * middle;
  }
  // The lower end is that of a bucket of its own, which is empty.
  std::vector<double> heights = {0};
  heights.insert(heights.end(), values.heights.begin(), values.heights.end());
  summary(step, tag,
          bytes_field(5, double_field(1, values.edges.front()) + double_field(2, values.edges.back()) +
                             double_field(3, total) + double_field(4, sum) + double_field(5, squares) +
                             doubles_field(6, values.edges) + doubles_field(7, heights)));
}

void EventFile::go_back(int64_t step) {
  constexpr int64_t session_start = 1;
  write(double_field(1, wall_time()) + integer_field(2, step) +
        bytes_field(7, integer_field(1, session_start)));
}

}  // namespace fokker
