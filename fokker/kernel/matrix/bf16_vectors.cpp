// The product of rounded factors by AVX512-BF16: one instruction adds two products in each of 16 lanes.
#include "fokker/kernel/matrix/bf16_units.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include <cstring>

#define FOKKER_BF16_VECTORS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

namespace fokker::kernel {
namespace {

constexpr int64_t most_rows = 8;  // of a tile of two panels: 16 sums cover an instruction's latency twice

/// Where a tile is, and which of the columns of each of its panels are wanted.
struct VectorTile {
  int64_t row, column;
  __mmask16 wanted[2];
};

template <int64_t Rows, int64_t Panels>
FOKKER_BF16_VECTORS inline void start_tile(const Bf16Product& p, const VectorTile& t,
                                           __m512 (&sums)[Rows][Panels]) {
  for (int64_t i = 0; i < Rows; ++i)
    for (int64_t v = 0; v < Panels; ++v) {
      const int64_t column = t.column + v * gemm_panel;
      sums[i][v] = p.start.add ? _mm512_maskz_loadu_ps(t.wanted[v], p.c + (t.row + i) * p.c_stride + column)
                   : p.start.bias ? _mm512_maskz_loadu_ps(t.wanted[v], p.start.bias + column)
                                  : _mm512_setzero_ps();
    }
}

template <int64_t Rows, int64_t Panels>
FOKKER_BF16_VECTORS void vector_tile(const Bf16Product& p, const VectorTile& t) {
  __m512 sums[Rows][Panels];
  start_tile<Rows, Panels>(p, t, sums);
  const int64_t next_panel = gemm_panel * p.panel_rows();
  const uint16_t* right = p.right(0, t.column);
  for (int64_t group = 0, depth = p.b.rows; group < p.a.groups; ++group) {
    const uint16_t* block = p.a.numbers + group * p.a.group_step + t.row * p.a.row_step;
    for (int64_t i = 0; i < p.blocks_of_group(); ++i, block += p.a.block_step, depth -= bf16_depth) {
      const uint16_t* left = block;
      const int64_t pairs = (std::min(bf16_depth, depth) + 1) / 2;
      for (int64_t k = 0; k < pairs; ++k, left += p.a.pair_step, right += 2 * gemm_panel) {
        __m512bh columns[Panels];
        for (int64_t v = 0; v < Panels; ++v)
          columns[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(right + v * next_panel));
#pragma GCC unroll 8
        for (int64_t r = 0; r < Rows; ++r) {
          int pair;
          std::memcpy(&pair, left + r * p.a.row_step, sizeof pair);
          const auto factors = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
          for (int64_t v = 0; v < Panels; ++v) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], factors, columns[v]);
        }
      }
    }
  }
  for (int64_t i = 0; i < Rows; ++i)
    for (int64_t v = 0; v < Panels; ++v)
      _mm512_mask_storeu_ps(p.c + (t.row + i) * p.c_stride + t.column + v * gemm_panel, t.wanted[v],
                            sums[i][v]);
}

/// The last rows.
template <int64_t Rows, int64_t Panels>
FOKKER_BF16_VECTORS void vector_tile_of(int64_t rows, const Bf16Product& p, const VectorTile& t) {
  if constexpr (Rows > 0) {
    if (rows == Rows) return vector_tile<Rows, Panels>(p, t);
    vector_tile_of<Rows - 1, Panels>(rows, p, t);
  }
}

__mmask16 columns_wanted(int64_t left) {
  return static_cast<__mmask16>((1u << std::clamp<int64_t>(left, 0, gemm_panel)) - 1);
}

}  // namespace

bool has_bf16_vectors() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return has;
}

void gemm_with_vectors(const Bf16Product& p) {
  for (int64_t column = 0; column < p.b.columns; column += 2 * gemm_panel) {
    const int64_t left = p.b.columns - column;
    const auto tile = left > gemm_panel ? vector_tile_of<most_rows, 2> : vector_tile_of<most_rows, 1>;
    for (int64_t row = 0; row < p.rows; row += most_rows)
      tile(std::min(most_rows, p.rows - row), p,
           {row, column, {columns_wanted(left), columns_wanted(left - gemm_panel)}});
  }
}

FOKKER_BF16_VECTORS void round_with_vectors(const float* from, int64_t columns, uint16_t* to) {
  for (int64_t k = 0; k < columns; k += 2 * gemm_panel) {
    const int64_t left = columns - k;
    const auto low = _mm512_maskz_loadu_ps(columns_wanted(left), from + k);
    const auto high = _mm512_maskz_loadu_ps(columns_wanted(left - gemm_panel), from + k + gemm_panel);
    const auto rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
    const auto wanted = static_cast<__mmask32>((uint64_t{1} << std::min(left, 2 * gemm_panel)) - 1);
    _mm512_mask_storeu_epi16(to + k, wanted, rounded);
  }
}

FOKKER_BF16_VECTORS void alternate_with_vectors(const float* even, const float* odd, int64_t columns,
                                                uint32_t* to) {
  alignas(64) uint16_t places[2 * gemm_panel];
  for (int64_t k = 0; k < gemm_panel; ++k) {
    places[2 * k] = static_cast<uint16_t>(k);
    places[2 * k + 1] = static_cast<uint16_t>(gemm_panel + k);
  }
  const __m512i in_turn = _mm512_load_si512(places);
  for (int64_t k = 0; k < columns; k += gemm_panel) {
    const __mmask16 wanted = columns_wanted(columns - k);
    const auto first = _mm512_maskz_loadu_ps(wanted, even + k);
    const auto second = odd ? _mm512_maskz_loadu_ps(wanted, odd + k) : _mm512_setzero_ps();
    const auto rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
    _mm512_mask_storeu_epi32(to + k, wanted, _mm512_permutexvar_epi16(in_turn, rounded));
  }
}

}  // namespace fokker::kernel

#else

namespace fokker::kernel {

bool has_bf16_vectors() {
  return false;
}
void gemm_with_vectors(const Bf16Product&) {}
void round_with_vectors(const float*, int64_t, uint16_t*) {}
void alternate_with_vectors(const float*, const float*, int64_t, uint32_t*) {}

}  // namespace fokker::kernel

#endif
