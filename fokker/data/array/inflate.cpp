#include "fokker/data/array/inflate.h"

#include <zlib.h>

#include <array>
#include <limits>

#include "fokker/core/check.h"

namespace fokker {
namespace {

/// The largest expansion that the deflate format allows.
constexpr uint64_t largest_ratio = 1032;

class InflateReader : public ByteReader {
 public:
  InflateReader(std::unique_ptr<ByteReader> source, Compression compression)
      : ByteReader(source->name()), source_(std::move(source)), compression_(compression) {
    const int window_bits = compression == Compression::gzip ? 15 + 16 : -15;
    check(inflateInit2(&stream_, window_bits) == Z_OK, "{}: zlib cannot start", name());
  }
  ~InflateReader() override { inflateEnd(&stream_); }

  Remaining remaining() const override {
    if (ended_) return {0, true};
    const Remaining left = source_->remaining();
    const uint64_t compressed = left.at_most + stream_.avail_in;
    constexpr uint64_t limit = std::numeric_limits<uint64_t>::max();
    if (compressed < left.at_most || compressed > (limit - (1 << 16)) / largest_ratio) return {limit, false};
    return {compressed * largest_ratio + (1 << 16), false};
  }

 private:
  size_t do_read(void* out, size_t count) override {
    count = std::min<size_t>(count, 1 << 30);  // zlib counts in 32 bits
    stream_.next_out = static_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(count);
    while (!ended_ && stream_.avail_out == count) step();
    return count - stream_.avail_out;
  }

  void step() {
    refill();
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) return next_member();
    check_input(result == Z_OK || result == Z_BUF_ERROR, "{}: its compressed data is damaged: {}", name(),
                stream_.msg ? stream_.msg : "zlib error");
    check_input(result != Z_BUF_ERROR || stream_.avail_in > 0 || refill(),
                "{}: truncated: its compressed data ends after {} without an end mark", name(),
                describe_bytes(source_->position()));
  }

  /// Gzip files may be concatenated; anything else after the end is left alone, as gzip does.
  void next_member() {
    ended_ = compression_ != Compression::gzip || !refill() || stream_.next_in[0] != 0x1f;
    if (!ended_) inflateReset(&stream_);
  }

  bool refill() {
    if (stream_.avail_in > 0) return true;
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(source_->read_some(input_.data(), input_.size()));
    return stream_.avail_in > 0;
  }

  std::unique_ptr<ByteReader> source_;
  Compression compression_;
  z_stream stream_{};
  bool ended_ = false;
  std::array<Bytef, 1 << 16> input_{};
};

}  // namespace

std::unique_ptr<ByteReader> inflate(std::unique_ptr<ByteReader> source, Compression compression) {
  return std::make_unique<InflateReader>(std::move(source), compression);
}

std::unique_ptr<ByteReader> open_maybe_gzip(const std::filesystem::path& path) {
  const FileHandle file = open_for_reading(path);
  // A pipe cannot be looked at and rewound: it is read as it is.
  if (!std::filesystem::is_regular_file(path)) return open_bytes(path);
  std::array<unsigned char, 2> magic{};
  const bool compressed =
      std::fread(magic.data(), 1, 2, file.get()) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
  auto bytes = open_bytes(path);
  return compressed ? inflate(std::move(bytes), Compression::gzip) : std::move(bytes);
}

}  // namespace fokker
