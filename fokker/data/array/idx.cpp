#include "fokker/data/array/idx.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/array/inflate.h"
#include "fokker/data/endian.h"

namespace fokker {
namespace {

at::ScalarType idx_type(unsigned char code, const std::string& name) {
  switch (code) {
    case 0x08:
      return at::kByte;
    case 0x09:
      return at::kChar;
    case 0x0B:
      return at::kShort;
    case 0x0C:
      return at::kInt;
    case 0x0D:
      return at::kFloat;
    case 0x0E:
      return at::kDouble;
    default:
      fail(ErrorKind::input,
           "{}: byte 2: expected an IDX type of 0x08, 0x09 or 0x0B to 0x0E but found {:#04x}", name, code);
  }
}

}  // namespace

Tensor load_idx(const std::filesystem::path& path) try {
  const auto reader = open_maybe_gzip(path);
  unsigned char magic[4];
  reader->read(magic, sizeof magic);
  check_input(magic[0] == 0 && magic[1] == 0,
              "{}: expected an IDX file (two zero bytes, type, dimensions) but it starts with {:02x} {:02x}",
              reader->name(), magic[0], magic[1]);
  const at::ScalarType type = idx_type(magic[2], reader->name());
  check_input(magic[3] >= 1 && magic[3] <= 8, "{}: byte 3: expected 1 to 8 dimensions but found {}",
              reader->name(), magic[3]);
  std::vector<int64_t> shape;
  for (int i = 0; i < magic[3]; ++i) {
    unsigned char size[4];
    reader->read(size, sizeof size);
    shape.push_back(static_cast<int64_t>(size[0]) << 24 | size[1] << 16 | size[2] << 8 | size[3]);
  }
  const Tensor tensor = read_tensor(*reader, shape, type);
  reader->expect_end();
  reverse_bytes(tensor);
  return tensor;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
