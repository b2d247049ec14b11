#pragma once
#include <algorithm>

#include "fokker/kernel/matrix/bf16_gemm.h"

namespace fokker::kernel {

/// A rounded left factor, in pairs of numbers that follow one another in a row: blocks of `bf16_depth`
/// columns, filled up with zeros. Tiles need (rows filled up to bf16_tile_rows, bf16_depth) in one piece.
struct Bf16Left {
  const uint16_t* numbers;
  int64_t block_step, row_step, pair_step;  ///< numbers from a block, a row, a pair to the next
  /// Groups of blocks, one after another in the product, and numbers from one to the next: the rows of pixels
  /// that a convolution's filters lie over.
  int64_t groups = 1, group_step = 0;
};

struct Bf16Product {
  Bf16Left a;
  int64_t rows;
  PackedBf16 b;
  GemmStart start;
  float* c;
  int64_t c_stride;

  int64_t blocks() const { return (b.rows + bf16_depth - 1) / bf16_depth; }
  int64_t blocks_of_group() const { return blocks() / a.groups; }
  int64_t panel_rows() const { return b.panel_rows ? b.panel_rows : blocks() * bf16_depth; }
  const uint16_t* right(int64_t block, int64_t column) const {
    return b.panels + column * panel_rows() + block * gemm_panel * bf16_depth;
  }
  /// visit(block, its left factor from `row` on) for all blocks in order.
  template <typename Visit>
  void each_block(int64_t row, Visit visit) const {
    for (int64_t group = 0, block = 0; group < a.groups; ++group) {
      const uint16_t* left = a.numbers + group * a.group_step + row * a.row_step;
      for (int64_t i = 0; i < blocks_of_group(); ++i, ++block, left += a.block_step) visit(block, left);
    }
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

/// The product by a unit that is there.
void multiply_by(Bf16Unit unit, const Bf16Product& product);

/// Rounds rows of numbers that lie side by side, each filled up with zeros to `stride` numbers.
void round_rows(Bf16Unit unit, const float* from, int64_t from_stride, int64_t rows, int64_t columns,
                uint16_t* to, int64_t stride);

/// to (columns, stride) = the rounded transpose of (rows, columns), whose rows are contiguous and from_stride
/// apart; filled up with zeros to whole blocks of bf16_depth.
void round_transposed(Bf16Unit unit, const float* from, int64_t from_stride, int64_t rows, int64_t columns,
                      uint16_t* to, int64_t stride);

/// gemm() by a unit that is there.
void gemm_by(Bf16Unit unit, const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start,
             float* c, int64_t c_stride);

}  // namespace fokker::kernel
