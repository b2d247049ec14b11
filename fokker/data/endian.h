#pragma once
#include <algorithm>

#include "fokker/core/tensor.h"

namespace fokker {

/// Reverses the bytes of every element of a contiguous tensor in place: big endian to little endian.
inline void reverse_bytes(const Tensor& tensor) {
  const auto size = static_cast<int64_t>(tensor.element_size());
  auto* bytes = static_cast<unsigned char*>(tensor.data_ptr());
  if (size == 1) return;
  for (int64_t i = 0; i < tensor.numel(); ++i) std::reverse(bytes + i * size, bytes + (i + 1) * size);
}

}  // namespace fokker
