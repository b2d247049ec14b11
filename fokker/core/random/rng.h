#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "fokker/core/random/philox.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// Where in its stream a block of noise begins. Sample `i` of a draw has index first_sample + i.
struct DrawPosition {
  int64_t first_sample = 0;
  uint64_t step = 0;
};

/// A source of standard normal noise for samplers: shape (n, ...) at a position. Injected everywhere, so
/// that a test can supply a published stream.
using NoiseSource = std::function<Tensor(IntArrayRef shape, DrawPosition position)>;

/// A counter-based random number generator: a value without state. The numbers depend only on
/// (seed, stream, sample index, step, element), so they are the same whatever the batch split or thread
/// count. Samples of so few numbers that several fit a block of PhiloxRows share it: sample i of one or two
/// float32 numbers, or of one float64 number, is a part of block i / 4, i / 2 or i / 2.
class Rng {
 public:
  explicit Rng(uint64_t seed) : Rng(seed, 0) {}

  /// An independent generator for one purpose. Nested streams are independent too.
  Rng stream(uint64_t id) const;
  Rng stream(std::string_view purpose) const;

  /// Standard normal numbers of shape (n, ...), float32 or float64.
  Tensor normal(IntArrayRef shape, DrawPosition position = {}, at::ScalarType type = at::kFloat) const;
  /// The same on a device. On a CUDA device they are made from the same random bits where the library was
  /// built for it (FOKKER_CUDA), else on the processor and copied. The two agree within 1.5e-6 in float32 and
  /// 1e-14 in float64.
  Tensor normal(IntArrayRef shape, DrawPosition position, const at::TensorOptions& type) const;
  /// Uniform numbers in the open interval (0, 1), shape (n, ...), float32 or float64.
  Tensor uniform(IntArrayRef shape, DrawPosition position = {}, at::ScalarType type = at::kFloat) const;
  /// Uniform integers in [0, bound), shape (n), int64. `bound` must be positive and below 2^53.
  Tensor integers(int64_t count, int64_t bound, DrawPosition position = {}) const;
  /// A random permutation of 0..count-1, int64.
  Tensor permutation(int64_t count) const;

  /// The generator as an injectable source of noise.
  NoiseSource noise_source(at::ScalarType type = at::kFloat) const;
  NoiseSource noise_source(const at::TensorOptions& type) const;

  uint64_t seed() const { return seed_; }

 private:
  Rng(uint64_t seed, uint64_t stream);
  uint64_t seed_;
  uint64_t stream_;
  std::array<uint32_t, 2> key_;
};

}  // namespace fokker
