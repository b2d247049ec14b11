#pragma once
#include <memory>

#include "fokker/kernel/vector/level_softmax.h"
#include "fokker/nn/table/table_condition.h"
#include "fokker/table/layout.h"

namespace fokker {

/// Losses of what the layers of a table say, `out` (n, numbers + levels), beside the logits `own` (n, levels)
/// of the parts' own noised values: (n, parts), (F - target)^2 and -log p(level). In plain tensors: what
/// TableLevels::losses is tested against, and where second derivatives come from.
Tensor plain_table_losses(const TableLayout& layout, const Tensor& out, const Tensor& own,
                          const TableTargets& targets);
/// log p of each segment of a part's levels, (n, levels).
Tensor segment_log_softmax(const TableLayout& layout, const Tensor& logits);

/// The passes over the levels of a table's rows in float32 on the CPU, a row at a time
/// (kernel/level_softmax). Nothing in it changes: several threads may use it at once.
class TableLevels : public std::enable_shared_from_this<TableLevels> {
 public:
  explicit TableLevels(const TableLayout& layout);

  /// Whether all of these may be undefined or float32 on the CPU, without gradients.
  static bool suits(std::initializer_list<Tensor> inputs);

  /// Own logits (n, levels), of given columns log prior; features are written to columns numbers.. of
  /// `input`. x: (n, dims), ratio: sigma/alpha (n, 1) or (1, 1).
  Tensor own_logits(const Tensor& x, const Tensor& ratio, const TableCondition& given,
                    const Tensor& input) const;
  /// E[point] of p = softmax of own + out, to columns numbers.. of `denoised` (n, dims). log p (n, levels)
  /// goes to `log_p` where that is defined.
  void write_means(const Tensor& own, const Tensor& out, const Tensor& denoised, const Tensor& log_p) const;
  /// As plain_table_losses, as one node: gradients of `out`. Those of discrete parts that `mask` gives are 0.
  /// Argument error for a level that its part has not.
  Tensor losses(const Tensor& out, const Tensor& own, const TableTargets& targets, const Tensor& mask) const;

  const TableLayout& layout() const { return layout_; }
  const kernel::LevelLayout& parts() const { return parts_; }

 private:
  struct Points {
    size_t part;
    Tensor points;  ///< (levels, dims)
  };
  Tensor products_with(const Tensor& x) const;
  void check_levels(const Tensor& levels) const;

  TableLayout layout_;
  kernel::LevelLayout parts_;
  std::vector<Points> points_;
};

}  // namespace fokker
