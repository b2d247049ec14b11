#include "fokker/data/array/zip_writer.h"

#include <zlib.h>

#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr uint64_t largest_zip = 0xffffffff;

std::string little_endian(std::initializer_list<std::pair<uint64_t, int>> fields) {
  std::string bytes;
  for (const auto& [value, size] : fields)
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

/// Raw deflate of the pieces; resource error where there is no memory.
std::string deflate_pieces(const std::vector<std::string_view>& pieces) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    fail(ErrorKind::resource, "zlib: no memory to compress with");
  std::string result, block(1 << 16, '\0');
  const auto run = [&](std::string_view piece, int flush) {
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(block.data());
      stream.avail_out = static_cast<uInt>(block.size());
      deflate(&stream, flush);
      result.append(block.data(), block.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  for (std::string_view piece : pieces)
    for (; !piece.empty(); piece.remove_prefix(std::min<size_t>(piece.size(), 1 << 30)))
      run(piece.substr(0, 1 << 30), Z_NO_FLUSH);
  run({}, Z_FINISH);
  deflateEnd(&stream);
  return result;
}

}  // namespace

void ZipWriter::add(const std::string& name, const std::vector<std::string_view>& pieces, bool deflated) {
  uint64_t size = 0;
  uLong crc = 0;
  for (const std::string_view piece : pieces) {
    size += piece.size();
    if (piece.empty()) continue;  // of no place in memory crc32_z says the checksum of nothing
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
  }
  check(size <= largest_zip && position_ + size <= largest_zip - (1 << 20),
        "{}: expected an archive of less than 4 GiB; write NPY files", shown_);
  const std::string compressed = deflated ? deflate_pieces(pieces) : std::string();
  const uint64_t stored = deflated ? compressed.size() : size, date = 0x21;  // 1980-01-01
  // Version, flags, method, time, date, checksum, sizes, length of the name and of extra fields.
  const std::string fields = little_endian({{20, 2},
                                            {0, 2},
                                            {deflated ? 8 : 0, 2},
                                            {0, 2},
                                            {date, 2},
                                            {crc, 4},
                                            {stored, 4},
                                            {size, 4},
                                            {name.size(), 2},
                                            {0, 2}});
  out_.write("PK\3\4" + fields + name);
  if (deflated)
    out_.write(compressed);
  else
    for (const std::string_view piece : pieces) out_.write(piece);
  directory_ += "PK\1\2" + little_endian({{20, 2}}) + fields +
                little_endian({{0, 2}, {0, 2}, {0, 2}, {0, 4}, {position_, 4}}) + name;
  position_ += 30 + name.size() + stored;
  ++entries_;
}

void ZipWriter::finish() {
  check(entries_ < 0xffff && position_ + directory_.size() <= largest_zip,
        "{}: expected fewer than 65535 entries in less than 4 GiB", shown_);
  out_.write(
      directory_ + "PK\5\6" +
      little_endian({{0, 4}, {entries_, 2}, {entries_, 2}, {directory_.size(), 4}, {position_, 4}, {0, 2}}));
  out_.close();
}

}  // namespace fokker
