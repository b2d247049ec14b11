#pragma once
#include <algorithm>

#include "fokker/kernel/matrix/bf16_gemm.h"

namespace fokker::kernel {

/// A product with its left factor rounded: blocks of `bf16_depth` of its columns, each (padded_rows,
/// bf16_depth), filled up with zeros.
struct Bf16Product {
  const uint16_t* a;
  int64_t rows, padded_rows;  ///< padded: to a multiple of bf16_tile_rows
  PackedBf16 b;
  GemmStart start;
  float* c;
  int64_t c_stride;

  int64_t blocks() const { return (b.rows + bf16_depth - 1) / bf16_depth; }
  const uint16_t* left(int64_t block, int64_t row) const {
    return a + (block * padded_rows + row) * bf16_depth;
  }
  const uint16_t* right(int64_t block, int64_t column) const {
    return b.panels + (column * blocks() + block * gemm_panel) * bf16_depth;
  }
};

constexpr int64_t bf16_tile_rows = 16;

/// Whether the processor and the system have them, whatever instruction sets were chosen.
bool has_bf16_vectors();
bool has_bf16_tiles();

/// The units' own: argument errors are the caller's, as is a unit that is not there.
void gemm_with_vectors(const Bf16Product& product);
void gemm_with_tiles(const Bf16Product& product);

/// gemm() by a unit that is there.
void gemm_by(Bf16Unit unit, const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start,
             float* c, int64_t c_stride);

}  // namespace fokker::kernel
