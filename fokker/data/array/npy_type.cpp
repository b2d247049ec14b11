#include "fokker/data/array/npy_type.h"

#include "fokker/core/check.h"
#include "fokker/data/endian.h"

namespace fokker {
namespace {

NpyType type_of_kind(const NpyHeader& header, const std::string& name) {
  const std::string kind = header.descr.empty() ? "" : header.descr.substr(1);
  if (kind == "f2") return {at::kHalf, at::kHalf};
  if (kind == "f4") return {at::kFloat, at::kFloat};
  if (kind == "f8") return {at::kDouble, at::kDouble};
  if (kind == "i1") return {at::kChar, at::kChar};
  if (kind == "i2") return {at::kShort, at::kShort};
  if (kind == "i4") return {at::kInt, at::kInt};
  if (kind == "i8") return {at::kLong, at::kLong};
  if (kind == "u1") return {at::kByte, at::kByte};
  if (kind == "b1") return {at::kBool, at::kBool};
  if (kind == "u2") return {at::kShort, at::kInt, 0xffff};
  if (kind == "u4") return {at::kInt, at::kLong, 0xffffffff};
  if (kind == "u8") return {at::kLong, at::kLong, -1};
  check_input(kind != "O", "{}: it holds Python objects, which are not data: save it with a numeric dtype",
              name);
  fail(ErrorKind::input,
       "{}: expected numbers (float16/32/64, int8..64, uint8..64 or bool) but its dtype is '{}'", name,
       header.descr);
}

}  // namespace

NpyType npy_type(const NpyHeader& header, const std::string& name) {
  NpyType type = type_of_kind(header, name);
  const char order = header.descr[0];
  check_input(order == '<' || order == '>' || order == '|' || order == '=',
              "{}: expected a byte order of < > | or = but its dtype is '{}'", name, header.descr);
  type.swapped = order == '>';
  return type;
}

Tensor as_read(const Tensor& stored, const NpyType& type, const std::string& name) {
  if (type.swapped) reverse_bytes(stored);
  if (type.unsigned_mask == 0) return stored;
  if (type.unsigned_mask == -1) {
    check_input(stored.numel() == 0 || stored.min().item<int64_t>() >= 0,
                "{}: a uint64 value exceeds 2^63 - 1", name);
    return stored;
  }
  return stored.to(type.result).bitwise_and(at::Scalar(type.unsigned_mask));
}

}  // namespace fokker
