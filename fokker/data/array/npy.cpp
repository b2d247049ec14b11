#include "fokker/data/array/npy.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/leftovers.h"
#include "fokker/core/file/unfinished.h"
#include "fokker/data/array/inflate.h"
#include "fokker/data/array/npy_header.h"
#include "fokker/data/array/npy_type.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

Tensor on_cpu(const Tensor& tensor, at::ScalarType type) {
  return tensor.detach().to(at::kCPU, type).contiguous();
}

}  // namespace

Tensor read_npy(ByteReader& reader) {
  const NpyHeader header = read_npy_header(reader);
  const NpyType type = npy_type(header, reader.name());
  std::vector<int64_t> shape = header.shape;
  // Fortran order is C order of the reversed shape.
  if (header.fortran_order) std::reverse(shape.begin(), shape.end());
  Tensor tensor = read_tensor(reader, shape, type.stored);
  reader.expect_end();
  tensor = as_read(tensor, type, reader.name());
  if (!header.fortran_order) return tensor;
  std::vector<int64_t> dimensions;
  for (int64_t i = tensor.dim(); i-- > 0;) dimensions.push_back(i);
  return tensor.permute(dimensions).contiguous();
}

Tensor load_npy(const fs::path& path) try { return read_npy(*open_maybe_gzip(path)); } catch (...) {
  detail::throw_as_error();
}

void save_npy(const fs::path& path, const Tensor& tensor) try {
  const std::string header = npy_header(tensor.sizes(), tensor.scalar_type());
  const Tensor values = on_cpu(tensor, tensor.scalar_type());
  write_atomically(path, [&](const fs::path& temporary) {
    FileWriter out(temporary, path.string());
    out.write(header);
    out.write(values.data_ptr(), values.nbytes());
    out.close();
  });
} catch (...) {
  detail::throw_as_error();
}

NpyWriter::NpyWriter(fs::path path, IntArrayRef shape, at::ScalarType type) try
    : path_(std::move(path)), shape_(shape.vec()), type_(type) {
  check(!shape.empty(), "NpyWriter: expected a shape with at least one dimension but received ()");
  byte_count("NpyWriter", shape, at::elementSize(type));
  const std::string header = npy_header(shape, type);
  header_bytes_ = static_cast<int64_t>(header.size());
  temporary_ = std::make_unique<Unfinished>(temporary_beside(path_));
  std::error_code ignored;  // a folder that cannot be made shows as a file that cannot be opened
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), ignored);
  file_ = std::make_unique<FileWriter>(temporary_->path(), path_.string());
  file_->write(header);
} catch (...) {
  detail::throw_as_error();
}

NpyWriter::~NpyWriter() {
  file_.reset();
}

void NpyWriter::write_elements(int64_t first, const Tensor& values) {
  check(file_ != nullptr, "NpyWriter: {} is already finished", path_.string());
  const Tensor bytes = on_cpu(values, type_);
  const auto item = static_cast<int64_t>(at::elementSize(type_));
  file_->write_at(static_cast<uint64_t>(header_bytes_ + first * item), bytes.data_ptr(), bytes.nbytes());
  written_ += values.numel();
}

void NpyWriter::append(const Tensor& rows) try {
  const auto event = IntArrayRef(shape_).slice(1);
  check(rows.dim() == static_cast<int64_t>(shape_.size()) && rows.sizes().slice(1) == event,
        "NpyWriter::append: expected rows of shape {} but received {}", shape_string(event),
        shape_string(rows));
  check(rows_ + rows.size(0) <= shape_[0], "NpyWriter::append: expected {} rows in all but received {}",
        shape_[0], rows_ + rows.size(0));
  write_elements(rows_ * event_size(shape_), rows);
  rows_ += rows.size(0);
} catch (...) {
  detail::throw_as_error();
}

void NpyWriter::write_block(int64_t row, int64_t column, const Tensor& block) try {
  check(shape_.size() >= 2, "NpyWriter::write_block: expected an array of 2 or more dimensions but it is {}",
        shape_string(shape_));
  const auto event = IntArrayRef(shape_).slice(2);
  check(block.dim() + 1 == static_cast<int64_t>(shape_.size()) && block.sizes().slice(1) == event,
        "NpyWriter::write_block: expected a block of (k) elements of shape {} but received {}",
        shape_string(event), shape_string(block));
  check(row >= 0 && row < shape_[0] && column >= 0 && column + block.size(0) <= shape_[1],
        "NpyWriter::write_block: expected a place inside {} but received row {}, columns {} to {}",
        shape_string(shape_), row, column, column + block.size(0));
  write_elements((row * shape_[1] + column) * event_size(IntArrayRef(shape_).slice(1)), block);
} catch (...) {
  detail::throw_as_error();
}

void NpyWriter::finish() try {
  int64_t expected = 1;
  for (const int64_t size : shape_) expected *= size;
  check(written_ == expected, "NpyWriter::finish: expected {} values but {} were written", expected,
        written_);
  check(file_ != nullptr, "NpyWriter: {} is already finished", path_.string());
  file_->close();
  file_.reset();
  write_atomically(path_, [&](const fs::path& target) {
    temporary_->put_in_place([&] { fs::rename(temporary_->path(), target); });
  });
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
