// A processor's matrix tiles: AMX with bfloat16 factors. Every instruction of theirs is in this file.
#include "fokker/kernel/matrix/bf16_tiles.h"

#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <vector>

#define FOKKER_AMX __attribute__((target("amx-tile,amx-bf16")))
// GCC's are assembly, which may be written, and so inlined, anywhere; clang's are functions of that target.
#ifdef __clang__
#define FOKKER_TILE FOKKER_AMX
#else
#define FOKKER_TILE
#endif

namespace fokker::kernel {
namespace {

/// What LDTILECFG reads.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1, first_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  constexpr TileConfiguration() {
    std::fill_n(row_bytes, 8, uint16_t{64});
    std::fill_n(rows, 8, uint8_t{bf16_tile_rows});
  }
};
static_assert(sizeof(TileConfiguration) == 64);

// The number of a tile is part of the instruction.
#define FOKKER_WITH_TILE(T, call) \
  do {                            \
    if constexpr ((T) == 0)       \
      call(0);                    \
    else if constexpr ((T) == 1)  \
      call(1);                    \
    else if constexpr ((T) == 2)  \
      call(2);                    \
    else if constexpr ((T) == 3)  \
      call(3);                    \
    else if constexpr ((T) == 4)  \
      call(4);                    \
    else if constexpr ((T) == 5)  \
      call(5);                    \
    else if constexpr ((T) == 6)  \
      call(6);                    \
    else                          \
      call(7);                    \
  } while (false)

/// GCC's loads of tiles do not say that they read memory: what was written before must be there.
inline void keep_order() {
  __asm__ volatile("" ::: "memory");
}

struct ProcessorTiles {
  FOKKER_AMX static void begin() {
    static constexpr TileConfiguration configuration;
    _tile_loadconfig(&configuration);
    keep_order();
  }
  FOKKER_AMX static void end() { _tile_release(); }
  template <int T>
  FOKKER_TILE static void zero() {
#define FOKKER_CALL(tile) _tile_zero(tile)
    FOKKER_WITH_TILE(T, FOKKER_CALL);
#undef FOKKER_CALL
  }
  template <int T>
  FOKKER_TILE static void load(const float* from, int64_t stride) {
#define FOKKER_CALL(tile) _tile_loadd(tile, from, stride* static_cast<int64_t>(sizeof(float)))
    keep_order();
    FOKKER_WITH_TILE(T, FOKKER_CALL);
#undef FOKKER_CALL
  }
  template <int T>
  FOKKER_TILE static void store(float* to, int64_t stride) {
#define FOKKER_CALL(tile) _tile_stored(tile, to, stride* static_cast<int64_t>(sizeof(float)))
    FOKKER_WITH_TILE(T, FOKKER_CALL);
#undef FOKKER_CALL
  }
  template <int C, int A, int B>
  FOKKER_TILE static void multiply() {
    if constexpr (C == 0) _tile_dpbf16ps(0, 4, 6);
    if constexpr (C == 1) _tile_dpbf16ps(1, 4, 7);
    if constexpr (C == 2) _tile_dpbf16ps(2, 5, 6);
    if constexpr (C == 3) _tile_dpbf16ps(3, 5, 7);
    static_assert(A == 4 + C / 2 && B == 6 + C % 2);
  }
};
#undef FOKKER_WITH_TILE

/// Whether the processor has AMX with bfloat16 and the system saves its state.
bool processor_has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return false;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  if (!(d & amx_bf16) || !(d & amx_tile)) return false;
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned tile_state = 3u << 17;
  return (low & tile_state) == tile_state;
}

/// Linux grants the tiles' registers to a process that asks.
bool system_grants_tiles() {
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

/// Asked by trying, too: a product of small whole numbers, which bfloat16 and float32 hold exactly.
bool tiles_multiply_rightly() {
  constexpr int64_t m = 33, k = 40, n = 35, padded = 48, depth = 64, panels = 3;
  const auto left = [](int64_t i, int64_t p) { return static_cast<float>((3 * i + 5 * p) % 7 - 3); };
  const auto right = [](int64_t p, int64_t j) { return static_cast<float>((2 * p + 7 * j) % 11 - 5); };
  const auto rounded = [](float x) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16); };
  std::vector<uint16_t> a(depth * padded), b(depth * panels * gemm_panel);
  std::vector<float> c(m * n);
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t i = 0; i < m; ++i)
      a[static_cast<size_t>((p / bf16_depth * padded + i) * bf16_depth + p % bf16_depth)] =
          rounded(left(i, p));
    for (int64_t j = 0; j < n; ++j)
      b[static_cast<size_t>((j / gemm_panel * depth / 2 + p / 2) * 2 * gemm_panel + j % gemm_panel * 2 +
                            p % 2)] = rounded(right(p, j));
  }
  gemm_in_tiles<ProcessorTiles>({.a = {a.data(), padded * bf16_depth, bf16_depth, 2},
                                 .rows = m,
                                 .b = {b.data(), k, n},
                                 .start = {},
                                 .c = c.data(),
                                 .c_stride = n});
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += left(i, p) * right(p, j);
      if (c[static_cast<size_t>(i * n + j)] != sum) return false;
    }
  return true;
}

}  // namespace

bool has_bf16_tiles() {
  static const bool has = processor_has_tiles() && system_grants_tiles() && tiles_multiply_rightly();
  return has;
}

void gemm_with_tiles(const Bf16Product& product) {
  gemm_in_tiles<ProcessorTiles>(product);
}

}  // namespace fokker::kernel

#else

namespace fokker::kernel {

bool has_bf16_tiles() {
  return false;
}
void gemm_with_tiles(const Bf16Product&) {}

}  // namespace fokker::kernel

#endif
