#pragma once
#include <cstdint>
#include <vector>

#include "fokker/kernel/vector/activation.h"

namespace fokker::kernel {

/// One discrete variable of a row: its levels are points of R^dims, to which noise is added.
struct LevelPart {
  enum class Kind {
    corners,  ///< level k is `scale` times the k-th unit vector less the offsets: as many dimensions as
              ///< levels
    line,     ///< level k is the number offset[k]
    points,   ///< any, whose products with the noised row are given; offset[k] is half of their square
  };
  Kind kind = Kind::corners;
  int64_t level = 0, levels = 0;  ///< its first among those of the row, and how many
  int64_t dim = 0;                ///< its first among the dimensions of the row
  int64_t column = 0;             ///< of the mask
  float scale = 1;
  float factor = 1;      ///< of its features
  bool missing = false;  ///< the last level stands for a missing cell
};

/// Logits of a level that is known not to be: its probability is 0, and nothing overflows.
constexpr float impossible_logit = -1e30f;

/// The discrete variables of a row; those of kind `points` come last.
struct LevelLayout {
  std::vector<LevelPart> parts;
  std::vector<float> offset, log_prior;  ///< (levels)
  int64_t first_of_points = 0;           ///< level, = levels where there are none

  int64_t levels() const { return static_cast<int64_t>(log_prior.size()); }
};

/// Noised rows y = root x and what is known of them; all numbers are float32.
struct NoisedLevels {
  MatrixRows x;              ///< (n, dims)
  const float* ratio;        ///< (n) or (1): the deviation r of the noise of y; root = sqrt(1 + r^2)
  int64_t ratio_stride;      ///< 1, or 0 for one of all rows
  MatrixRows products = {};  ///< (n, levels of points) x . point
  MatrixRows mask = {};   ///< (n, columns): above 0 where a column is known, below where it is known not to
                          ///< be missing; without data where nothing is known
  MatrixRows known = {};  ///< (n, dims): what is known
};

/// Per row and part: logits (n, levels) = log N(y; point k, r^2) + log prior, up to a constant of the part,
/// and features (n, dims) = factor E[point | y]; of a known column log prior, and factor `known`; of a level
/// that is known not to be impossible_logit, and the mean over the others. Of parts of
/// kind `points` the features are left alone, and chances (n, levels of points) = p(level | y) written, from
/// which they follow by a product.
void own_level_logits(const LevelLayout& layout, const NoisedLevels& rows, int64_t n,
                      const MatrixRows& logits, const MatrixRows& features, const MatrixRows& chances);

/// Of p = softmax of logits + added over the levels of each part: means (n, dims) = E[point], for parts of
/// kind `points` chances (n, their levels) = p instead, and log p (n, levels) unless it has no data.
void level_posterior(const LevelLayout& layout, const MatrixRows& logits, const MatrixRows& added, int64_t n,
                     const MatrixRows& means, const MatrixRows& chances, const MatrixRows& log_p);

/// losses (n, parts) = -log p of the levels given (n, parts), and slopes (n, levels) = their derivatives by
/// `added`. Where a part's column is known (mask as above) both are 0.
void level_losses(const LevelLayout& layout, const MatrixRows& logits, const MatrixRows& added,
                  const int64_t* levels, const MatrixRows& mask, int64_t n, const MatrixRows& losses,
                  const MatrixRows& slopes);

/// out (n, levels) = slopes times the factor (n, parts) of each level's part.
void scale_level_parts(const LevelLayout& layout, const MatrixRows& slopes, const MatrixRows& factors,
                       int64_t n, const MatrixRows& out);

}  // namespace fokker::kernel
