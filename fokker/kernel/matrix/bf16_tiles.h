#pragma once
#include <cstring>

#include "fokker/kernel/matrix/bf16_units.h"

namespace fokker::kernel {

// The product of rounded factors by a unit of matrix tiles, whatever it is made of: a processor's, or plain
// code that does the same. A tile is 16 rows of 64 bytes: 16 float32 sums, or bf16_depth factors. Tiles 0 to
// 3 are sums, two by two; 4 and 5 hold rows of the left factor, 6 and 7 panels of the right one.

/// Up to two by two tiles of a result.
template <typename Tiles>
class TileBlock {
 public:
  TileBlock(const Bf16Product& product, int64_t row, int64_t column)
      : p_(product),
        row_(row),
        column_(column),
        rows_(std::min(2 * bf16_tile_rows, product.rows - row)),
        columns_(std::min(2 * gemm_panel, product.b.columns - column)) {}

  void run() {
    const bool two_rows = rows_ > bf16_tile_rows, two_columns = columns_ > gemm_panel;
    if (two_rows)
      two_columns ? part<2, 2>() : part<2, 1>();
    else
      two_columns ? part<1, 2>() : part<1, 1>();
  }

 private:
  static constexpr int64_t stride = 2 * gemm_panel;

  template <int Rows, int Columns>
  void part() {
    const bool whole = rows_ == Rows * bf16_tile_rows && columns_ == Columns * gemm_panel;
    float* c = p_.c + row_ * p_.c_stride + column_;
    int64_t c_stride = p_.c_stride;
    if (!whole) {  // tiles touch all their rows and columns
      begin_edge();
      c = edge_;
      c_stride = stride;
    }
    start<Rows, Columns>(c, c_stride, whole && !p_.start.add);
    p_.each_block(row_, [&](int64_t block, const uint16_t* left) { multiply<Rows, Columns>(block, left); });
    each<Rows, Columns>([&]<int I, int J>() {
      Tiles::template store<2 * I + J>(c + I * bf16_tile_rows * c_stride + J * gemm_panel, c_stride);
    });
    if (!whole)
      for (int64_t i = 0; i < rows_; ++i)
        std::memcpy(p_.c + (row_ + i) * p_.c_stride + column_, edge_ + i * stride, columns_ * sizeof(float));
  }

  /// The start of a result that is no whole tiles, in memory that is.
  void begin_edge() {
    std::memset(edge_, 0, sizeof edge_);
    for (int64_t i = 0; i < rows_ && (p_.start.add || p_.start.bias); ++i) {
      const float* from = p_.start.add ? p_.c + (row_ + i) * p_.c_stride : p_.start.bias;
      std::memcpy(edge_ + i * stride, from + column_, columns_ * sizeof(float));
    }
  }

  template <int Rows, int Columns>
  void start(const float* c, int64_t c_stride, bool from_bias) const {
    each<Rows, Columns>([&]<int I, int J>() {
      if (!from_bias)
        Tiles::template load<2 * I + J>(c + I * bf16_tile_rows * c_stride + J * gemm_panel, c_stride);
      else if (p_.start.bias)
        Tiles::template load<2 * I + J>(p_.start.bias + column_ + J * gemm_panel, 0);  // each row the same
      else
        Tiles::template zero<2 * I + J>();
    });
  }

  template <int Rows, int Columns>
  void multiply(int64_t block, const uint16_t* left) const {
    const int64_t row_step = p_.a.row_step / 2;
    Tiles::template load<4>(as_floats(left), row_step);
    if constexpr (Rows > 1)
      Tiles::template load<5>(as_floats(left + bf16_tile_rows * p_.a.row_step), row_step);
    Tiles::template load<6>(as_floats(p_.right(block, column_)), gemm_panel);
    if constexpr (Columns > 1)
      Tiles::template load<7>(as_floats(p_.right(block, column_ + gemm_panel)), gemm_panel);
    each<Rows, Columns>([&]<int I, int J>() { Tiles::template multiply<2 * I + J, 4 + I, 6 + J>(); });
  }

  template <int Rows, int Columns, typename Work>
  static void each(Work work) {
    work.template operator()<0, 0>();
    if constexpr (Columns > 1) work.template operator()<0, 1>();
    if constexpr (Rows > 1) work.template operator()<1, 0>();
    if constexpr (Rows > 1 && Columns > 1) work.template operator()<1, 1>();
  }

  static const float* as_floats(const uint16_t* pairs) { return reinterpret_cast<const float*>(pairs); }

  const Bf16Product& p_;
  int64_t row_, column_, rows_, columns_;
  alignas(64) float edge_[2 * bf16_tile_rows * stride];
};

/// `Tiles` has begin() and end(), zero<T>(), load<T>(from, stride) and store<T>(to, stride) with strides of 4
/// bytes, and multiply<C, A, B>(): sums C += A B.
template <typename Tiles>
void gemm_in_tiles(const Bf16Product& product) {
  Tiles::begin();
  for (int64_t column = 0; column < product.b.columns; column += 2 * gemm_panel)
    for (int64_t row = 0; row < product.rows; row += 2 * bf16_tile_rows)
      TileBlock<Tiles>(product, row, column).run();
  Tiles::end();
}

}  // namespace fokker::kernel
