#pragma once
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/kernel/image/patches.h"
#include "fokker/kernel/vector/activation.h"
#include "fokker/kernel/vector/scratch.h"

namespace fokker {

/// A batch of images in memory, channels adjacent; pixels, rows and images follow one another, `pixel_stride`
/// numbers from one pixel to the next.
struct FeatureMap {
  float* data = nullptr;
  int64_t pixel_stride = 0;
  int64_t images = 0, height = 0, width = 0, channels = 0;

  int64_t pixels() const { return height * width; }
  float* image(int64_t i) const { return data + i * pixels() * pixel_stride; }
  /// All pixels from image i on.
  kernel::MatrixRows rows(int64_t i = 0) const { return {image(i), pixel_stride}; }
  /// The same pixels, some of their channels.
  FeatureMap part(int64_t first, int64_t count) const;
};

/// Memory of one pass, kept for the next: many pieces live at once and are taken back in the reverse order,
/// by rewinding to a mark, where a thread's scratch memory has one holder at a time.
class Arena {
 public:
  struct Mark {
    size_t chunk = 0;
    int64_t used = 0;
  };
  float* take(int64_t numbers);
  double* take_doubles(int64_t numbers) { return reinterpret_cast<double*>(take(2 * numbers)); }
  FeatureMap map(int64_t images, int64_t height, int64_t width, int64_t channels);
  Mark mark() const { return mark_; }
  void rewind(Mark mark) { mark_ = mark; }

 private:
  struct Chunk {
    kernel::Buffer memory;
    int64_t size;
  };
  std::vector<Chunk> chunks_;
  Mark mark_;
};

/// Images from `begin` on of x (n, channels, h, w) as those of `to`, which may be larger: zeros fill it up;
/// 2 x - 1 where they are centred.
void read_images(const Tensor& x, int64_t begin, bool centred, const FeatureMap& to);
/// The images as those of y from `begin` on, cropped to its size.
void write_images(const FeatureMap& from, int64_t begin, const Tensor& y);

/// y /= divisor for images [first, first + count).
void divide(const FeatureMap& y, double divisor, int64_t first, int64_t count);

/// The patches of x under a 3 x 3 filter of stride 2, one for each pixel of y.
kernel::PatchShape downsampling_patches(const FeatureMap& x, const FeatureMap& y, int64_t padding);

}  // namespace fokker
