#pragma once
#include <memory>

#include "fokker/nn/forward.h"
#include "fokker/nn/table/table_condition.h"
#include "fokker/table/layout.h"

namespace fokker {

class TableLevels;

/// What a network says of each part of x_0 given x_t.
struct TableHeads {
  Tensor numbers;            ///< (n, numbers): EDM's F of each number, of N(0, 1)
  Tensor log_probabilities;  ///< (n, levels): log p(level | x_t) of each discrete part
};

/// What a table's network computes beside its layers, over y = x_t / alpha at r = sigma / alpha.
///
/// Noise is independent between columns, so of a discrete part with points e_k
///   p(k | x_t) is proportional to N(y; e_k, r^2 I) p(k | x_t without this part)           (Bayes),
/// and the layers' logits are added to those of its own noised value and its shares: they start at what the
/// part alone says, and learn what the others do. Numbers are preconditioned alike (Karras et al. 2022, Table
/// 1, for data of N(0, 1)). The layers see c_in x of numbers, of discrete parts the mean of their points
/// given their own noised values, and where a column is given its clean value, beside a bit that says so.
/// Where a cell is known not to be missing the bit is -1, and that level has no share in anything.
class TableSpace {
 public:
  explicit TableSpace(TableLayout layout);

  const TableLayout& layout() const { return layout_; }
  int64_t inputs() const { return layout_.dims() + layout_.columns; }
  int64_t outputs() const { return layout_.numbers() + layout_.levels(); }

  /// The heads for `layers` (n, inputs()) -> (n, outputs()). x: (n, dims), scaled to unit variance by
  /// 1/sqrt(alpha^2 + sigma^2); time: (n) or (1), log(r)/4. Of given columns they mean nothing.
  TableHeads heads(const Forward& layers, const Tensor& x, const Tensor& time, const Tensor& label,
                   const TableCondition& given = {}) const;
  /// E[x_0 | x_t] (n, dims) from these; where a column is given, its value.
  Tensor denoised(const TableHeads& heads, const Tensor& x, const Tensor& time,
                  const TableCondition& given = {}) const;
  /// The same without the heads.
  Tensor denoised(const Forward& layers, const Tensor& x, const Tensor& time, const Tensor& label,
                  const TableCondition& given = {}) const;
  /// Of each part what the layers say against the targets (n, parts): (F - target)^2 of numbers, -log p(level
  /// | x_t) of discrete parts. Of given columns they mean nothing.
  Tensor losses(const Forward& layers, const Tensor& x, const Tensor& time, const Tensor& label,
                const TableCondition& given, const TableTargets& targets) const;
  /// The mask of columns as one of dimensions: (n, dims).
  Tensor mask_of_dims(const Tensor& mask) const;

 private:
  struct Asked {
    Tensor own;    ///< (n, levels) logits of the parts' own noised values; undefined without discrete parts
    Tensor input;  ///< (n, inputs())
    bool fused = false;
  };
  Asked ask(const Tensor& x, const Tensor& time, const TableCondition& given) const;
  Asked ask_fused(const Tensor& x, const Tensor& ratio, const TableCondition& given) const;
  TableHeads heads_of(const Asked& asked, const Tensor& out) const;
  Tensor own_logits(const Tensor& y, const Tensor& ratio, const Tensor& mask) const;
  Tensor means(const Tensor& probabilities) const;

  TableLayout layout_;
  std::shared_ptr<const TableLevels> levels_;  ///< the fused form
  int64_t simplex_levels_ = 0, lines_ = 0, line_levels_ = 0;
  Tensor simplex_scale_, simplex_prior_;    ///< (1, levels of simplexes)
  Tensor positions_;                        ///< (levels of lines), centred
  Tensor line_of_level_;                    ///< (levels of lines) int64
  std::vector<Tensor> codes_;               ///< (levels, dims) of each
  Tensor log_prior_;                        ///< (levels)
  Tensor feature_scale_;                    ///< (dims of discrete parts)
  Tensor column_of_dim_, column_of_level_;  ///< (dims), (levels) int64
  Tensor stands_for_missing_;               ///< (levels) bool
};

}  // namespace fokker
