#pragma once
#include "fokker/table/condition.h"
#include "fokker/train/sample_model.h"

namespace fokker {

/// What is given of rows of a table that are drawn, in groups of rows that are given the same.
struct GivenRows {
  int64_t groups = 1;
  int64_t copies = 1;                            ///< rows of each group
  KnownCells known = {};                         ///< (1 or groups, columns)
  std::vector<ColumnCondition> conditions = {};  ///< of all rows, on columns that are not known in any
  /// Told after each round how many of the rows are there, where ranges are drawn by rejection.
  std::function<void(int64_t kept)> on_round = {};
};

struct GivenSamples {
  Dataset rows;             ///< (groups copies), those of a group one after the other
  int64_t evaluations = 0;  ///< of the denoiser per row that was drawn
  int64_t rejected = 0;     ///< steps of an adaptive method
  int64_t drawn = 0;        ///< rows, also those that did not meet the conditions
};

/// Draws rows of a table with a schema given cells and conditions. Known cells are the network's own
/// conditions: all else is drawn from what it learned given them. Of several values and ranges rows are drawn
/// without regard to them and those are kept that meet them, in the order of the draws: exactly the model's
/// law given them, at the cost of the others. What comes out depends on the rng alone, whatever the batch.
///
/// Argument errors: a model without a schema; a column given twice; a label of each row beside conditions;
/// guidance. An error of kind `failed`, saying the share that was measured, where fewer than 1 in 2,000 of
/// 10,000 draws of a group meet the conditions.
GivenSamples sample_given(const Model& model, const GivenRows& given, const Rng& rng,
                          const SampleOptions& options = {});

struct Imputation {
  Tensor cells;       ///< (draws, n, columns): as given where known, drawn elsewhere, never missing
  Tensor filled;      ///< (n) bool: false where too few draws had a cell in each place; cells there are NaN
                      ///< (of models of earlier versions alone)
  int64_t drawn = 0;  ///< rows, also those that were not used
};

/// Fills the cells of n rows that are not known, by the model's law given those that are and given that none
/// of the others is missing: the network is told so, and that level has no probability at any step, so that
/// each row is drawn once however rare its cells are. (A model of an earlier version, which cannot be told,
/// draws by rejection: a row is given up where fewer than 1 in 200 of 1,000 draws have no missing cell.)
/// Argument error for a model without a schema.
Imputation impute(const Model& model, const KnownCells& rows, int64_t draws, const Rng& rng,
                  const SampleOptions& options = {}, const std::function<void(int64_t kept)>& on_round = {});

}  // namespace fokker
