// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/vector/level_softmax.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/level_vectors-inl.h"
// clang-format on

#include "fokker/kernel/vector/level_softmax.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fokker/kernel/vector/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// out = factor (scale a - offset).
HWY_INLINE void write_corners(const float* a, float scale, const float* offset, float factor, int64_t count,
                              float* out) {
  const LevelVector d;
  for_vectors(d, count, [&](auto access, int64_t k) HWY_ATTR {
    const auto mean = hn::MulSub(access.load(d, a + k), hn::Set(d, scale), access.load(d, offset + k));
    access.store(hn::Mul(mean, hn::Set(d, factor)), d, out + k);
  });
}

/// Where a part's mean goes, and of points its chances.
struct MeanPlace {
  float* mean;
  float* chances;
  float factor;
};

/// From powers (levels) and 1 / their sum.
HWY_INLINE void write_mean(const LevelPart& part, const float* offset, const float* powers, float inverse,
                           const MeanPlace& out) {
  switch (part.kind) {
    case LevelPart::Kind::corners:
      return write_corners(powers, part.scale * inverse, offset, out.factor, part.levels, out.mean);
    case LevelPart::Kind::line:
      *out.mean = out.factor * inverse * dot(powers, offset, part.levels);
      return;
    case LevelPart::Kind::points:
      return scale_numbers(powers, inverse, part.levels, out.chances);
  }
}

/// log N(y; point k, r^2) + log prior of a part's levels; the largest.
HWY_INLINE float write_own(const LevelPart& part, const float* x, const float* products, float root,
                           float precision, const float* offset, const float* log_prior, float* out) {
  const LevelVector d;
  const auto prior = [&](auto access, int64_t k) HWY_ATTR { return access.load(d, log_prior + k); };
  const auto at = [&](auto access, int64_t k) HWY_ATTR { return access.load(d, offset + k); };
  switch (part.kind) {
    case LevelPart::Kind::corners: {
      // |y - e_k|^2 = |y|^2 - 2 s (y_k + s p_k) + what is the same for all k, at e_k = s (1_k - p).
      const auto weight = hn::Set(d, part.scale * precision);
      return write_values(part.levels, out, [&](auto access, int64_t k) HWY_ATTR {
        const auto y = hn::MulAdd(access.load(d, x + k), hn::Set(d, root), at(access, k));
        return hn::MulAdd(y, weight, prior(access, k));
      });
    }
    case LevelPart::Kind::line: {
      const auto y = hn::Set(d, *x * root), weight = hn::Set(d, -0.5f * precision);
      return write_values(part.levels, out, [&](auto access, int64_t k) HWY_ATTR {
        const auto off = hn::Sub(y, at(access, k));
        return hn::MulAdd(hn::Mul(off, off), weight, prior(access, k));
      });
    }
    case LevelPart::Kind::points: {
      const auto weight = hn::Set(d, precision);
      return write_values(part.levels, out, [&](auto access, int64_t k) HWY_ATTR {
        const auto y = hn::MulSub(access.load(d, products + k), hn::Set(d, root), at(access, k));
        return hn::MulAdd(y, weight, prior(access, k));
      });
    }
  }
  return 0;
}

HWY_INLINE bool is_known(const MatrixRows& mask, int64_t row, const LevelPart& part) {
  return mask.data && mask.row(row)[part.column] > 0;
}

/// Whether all that is known of a part is that its last level is not the one.
HWY_INLINE bool is_not_missing(const MatrixRows& mask, int64_t row, const LevelPart& part) {
  return part.missing && mask.data && mask.row(row)[part.column] < 0;
}

void own_level_logits(const LevelLayout& layout, const NoisedLevels& rows, int64_t begin, int64_t end,
                      const MatrixRows& logits, const MatrixRows& features, const MatrixRows& chances,
                      float* powers) {
  for (int64_t i = begin; i < end; ++i) {
    const float r = rows.ratio[i * rows.ratio_stride], root = std::sqrt(1 + r * r), precision = 1 / (r * r);
    for (const LevelPart& part : layout.parts) {
      const int64_t point = part.level - layout.first_of_points;
      const bool points = part.kind == LevelPart::Kind::points;
      float* feature = features.row(i) + part.dim;
      if (is_known(rows.mask, i, part)) {
        std::copy_n(layout.log_prior.data() + part.level, part.levels, logits.row(i) + part.level);
        if (points) std::fill_n(chances.row(i) + point, part.levels, 0.0f);
        const int64_t dims = part.kind == LevelPart::Kind::corners ? part.levels : points ? 0 : 1;
        scale_numbers(rows.known.row(i) + part.dim, part.factor, dims, feature);
        continue;
      }
      float* own = logits.row(i) + part.level;
      const float* offset = layout.offset.data() + part.level;
      LevelPart seen = part;
      if (is_not_missing(rows.mask, i, part)) {
        --seen.levels;
        own[seen.levels] = impossible_logit;
        powers[seen.levels] = 0;
      }
      const float largest =
          write_own(seen, rows.x.row(i) + part.dim, points ? rows.products.row(i) + point : nullptr, root,
                    precision, offset, layout.log_prior.data() + part.level, own);
      const float sum = write_powers(own, seen.levels, largest, powers);
      write_mean(part, offset, powers, 1 / sum,
                 {feature, points ? chances.row(i) + point : nullptr, part.factor});
    }
  }
}

/// values = logits + added, and their powers; the largest, and the sum.
HWY_INLINE std::pair<float, float> write_posterior(const float* logits, const float* added, int64_t count,
                                                   float* values, float* powers) {
  const LevelVector d;
  const float largest = write_values(count, values, [&](auto access, int64_t k) HWY_ATTR {
    return hn::Add(access.load(d, logits + k), access.load(d, added + k));
  });
  return {largest, write_powers(values, count, largest, powers)};
}

void level_posterior(const LevelLayout& layout, const MatrixRows& logits, const MatrixRows& added,
                     int64_t begin, int64_t end, const MatrixRows& means, const MatrixRows& chances,
                     const MatrixRows& log_p, float* powers) {
  const LevelVector d;
  for (int64_t i = begin; i < end; ++i)
    for (const LevelPart& part : layout.parts) {
      float* values = log_p.data ? log_p.row(i) + part.level : powers;
      const auto [largest, sum] =
          write_posterior(logits.row(i) + part.level, added.row(i) + part.level, part.levels, values, powers);
      float* chance = part.kind == LevelPart::Kind::points
                          ? chances.row(i) + part.level - layout.first_of_points
                          : nullptr;
      write_mean(part, layout.offset.data() + part.level, powers, 1 / sum,
                 {means.row(i) + part.dim, chance, 1.0f});
      if (!log_p.data) continue;
      const auto shift = hn::Set(d, largest + std::log(sum));
      for_vectors(d, part.levels, [&](auto access, int64_t k) HWY_ATTR {
        access.store(hn::Sub(access.load(d, values + k), shift), d, values + k);
      });
    }
}

void level_losses(const LevelLayout& layout, const MatrixRows& logits, const MatrixRows& added,
                  const int64_t* levels, const MatrixRows& mask, int64_t begin, int64_t end,
                  const MatrixRows& losses, const MatrixRows& slopes, float* values) {
  const auto parts = static_cast<int64_t>(layout.parts.size());
  for (int64_t i = begin; i < end; ++i)
    for (int64_t p = 0; p < parts; ++p) {
      const LevelPart& part = layout.parts[static_cast<size_t>(p)];
      float* slope = slopes.row(i) + part.level;
      if (is_known(mask, i, part)) {
        std::fill_n(slope, part.levels, 0.0f);
        losses.row(i)[p] = 0;
        continue;
      }
      const auto [largest, sum] =
          write_posterior(logits.row(i) + part.level, added.row(i) + part.level, part.levels, values, slope);
      const int64_t level = levels[i * parts + p];
      losses.row(i)[p] = largest + std::log(sum) - values[level];
      scale_numbers(slope, 1 / sum, part.levels, slope);
      slope[level] -= 1;
    }
}

void scale_level_parts(const LevelLayout& layout, const MatrixRows& slopes, const MatrixRows& factors,
                       int64_t begin, int64_t end, const MatrixRows& out) {
  for (int64_t i = begin; i < end; ++i)
    for (size_t p = 0; p < layout.parts.size(); ++p) {
      const LevelPart& part = layout.parts[p];
      scale_numbers(slopes.row(i) + part.level, factors.row(i)[p], part.levels, out.row(i) + part.level);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <ATen/Parallel.h>

namespace fokker::kernel {

HWY_EXPORT(own_level_logits);
HWY_EXPORT(level_posterior);
HWY_EXPORT(level_losses);
HWY_EXPORT(scale_level_parts);

namespace {

/// work(begin, end, memory for the levels of the largest part) over rows, each by itself.
template <typename Work>
void for_level_rows(const LevelLayout& layout, int64_t n, const Work& work) {
  int64_t most = 1;
  for (const LevelPart& part : layout.parts) most = std::max(most, part.levels);
  const int64_t grain = std::max<int64_t>(1, 32768 / (layout.levels() + 1));
  at::parallel_for(0, n, grain,
                   [&](int64_t begin, int64_t end) { work(begin, end, scratch<float>(Scratch::own, most)); });
}

}  // namespace

void own_level_logits(const LevelLayout& layout, const NoisedLevels& rows, int64_t n,
                      const MatrixRows& logits, const MatrixRows& features, const MatrixRows& chances) {
  for_level_rows(layout, n, [&](int64_t begin, int64_t end, float* memory) {
    HWY_DYNAMIC_DISPATCH(own_level_logits)(layout, rows, begin, end, logits, features, chances, memory);
  });
}

void level_posterior(const LevelLayout& layout, const MatrixRows& logits, const MatrixRows& added, int64_t n,
                     const MatrixRows& means, const MatrixRows& chances, const MatrixRows& log_p) {
  for_level_rows(layout, n, [&](int64_t begin, int64_t end, float* memory) {
    HWY_DYNAMIC_DISPATCH(level_posterior)
    (layout, logits, added, begin, end, means, chances, log_p, memory);
  });
}

void level_losses(const LevelLayout& layout, const MatrixRows& logits, const MatrixRows& added,
                  const int64_t* levels, const MatrixRows& mask, int64_t n, const MatrixRows& losses,
                  const MatrixRows& slopes) {
  for_level_rows(layout, n, [&](int64_t begin, int64_t end, float* memory) {
    HWY_DYNAMIC_DISPATCH(level_losses)
    (layout, logits, added, levels, mask, begin, end, losses, slopes, memory);
  });
}

void scale_level_parts(const LevelLayout& layout, const MatrixRows& slopes, const MatrixRows& factors,
                       int64_t n, const MatrixRows& out) {
  for_level_rows(layout, n, [&](int64_t begin, int64_t end, float*) {
    HWY_DYNAMIC_DISPATCH(scale_level_parts)(layout, slopes, factors, begin, end, out);
  });
}

}  // namespace fokker::kernel
#endif
