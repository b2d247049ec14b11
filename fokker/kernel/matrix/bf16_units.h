#pragma once
#include <algorithm>

#include "fokker/kernel/matrix/bf16_gemm.h"

namespace fokker::kernel {

/// A rounded left factor, in pairs of numbers that follow one another in a row: blocks of `bf16_depth`
/// columns, filled up with zeros. Tiles need (rows filled up to bf16_tile_rows, bf16_depth) in one piece.
struct Bf16Left {
  const uint16_t* numbers;
  int64_t block_step, row_step, pair_step;  ///< numbers from a block, a row, a pair to the next
};

struct Bf16Product {
  Bf16Left a;
  int64_t rows;
  PackedBf16 b;
  GemmStart start;
  float* c;
  int64_t c_stride;

  int64_t blocks() const { return (b.rows + bf16_depth - 1) / bf16_depth; }
  const uint16_t* left(int64_t block, int64_t row) const {
    return a.numbers + block * a.block_step + row * a.row_step;
  }
  const uint16_t* right(int64_t block, int64_t column) const {
    return b.panels + (column * blocks() + block * gemm_panel) * bf16_depth;
  }
};

constexpr int64_t bf16_tile_rows = 16;

/// Whether the processor and the system have them, whatever instruction sets were chosen.
bool has_bf16_vectors();
bool has_bf16_tiles();

/// The units' own, where they are there.
void gemm_with_vectors(const Bf16Product& product);
void gemm_with_tiles(const Bf16Product& product);
/// The processor's own rounding, where it has vectors: `columns` numbers of a row; or those of two rows in
/// turn, of which the second may be missing (null) and then is zero.
void round_with_vectors(const float* from, int64_t columns, uint16_t* to);
void alternate_with_vectors(const float* even, const float* odd, int64_t columns, uint32_t* to);

/// gemm() by a unit that is there.
void gemm_by(Bf16Unit unit, const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start,
             float* c, int64_t c_stride);

}  // namespace fokker::kernel
