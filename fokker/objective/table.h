#pragma once
#include "fokker/denoise/table.h"
#include "fokker/objective/objective.h"
#include "fokker/objective/time_sampling.h"

namespace fokker {

/// The loss of tables with columns of every kind: denoising score matching for numbers, and for discrete
/// parts the cross-entropy of the level given the noised row (score interpolation: Dieleman et al. 2022;
/// Mueller et al. 2023, CDTD). Each part's loss is divided by what its own noised value alone would leave:
/// variance (r^2/(1 + r^2), EDM's weight) or entropy, at r = sigma/alpha, so that a part's loss is at most
/// about 1 at every noise level, and their mean over the parts lets each count evenly.
///
/// In a share of the rows a random set of columns is given, clean, of any size below all of them, and the
/// loss is that of the others: one network learns every conditional law. In some of these, and a fifth as
/// often in other rows, it is told of a random set of the other columns whether their cells are missing: a
/// missing one is then given, and of the others the law is that given that they are not.
class TableObjective final : public Objective {
 public:
  struct Options {
    TimeSampling times = {.law = TimeSampling::Law::log_normal, .log_mean = -0.8, .log_deviation = 1.6};
    double given_share = 0.3;    ///< of rows in which some columns are given
    double missing_told = 0.5;   ///< of these rows in which it is told which other cells are missing
    double label_dropout = 0.1;  ///< probability with which a label is dropped
    /// Columns that are given in every row: the others are learned given these, which are not learned
    /// themselves. Any further ones that are given come from the others.
    std::vector<int64_t> always_given = {};
  };
  explicit TableObjective(Options options) : options_(std::move(options)) {}
  TableObjective() : TableObjective(Options()) {}

  /// Of a LearnedDenoiser or TableDenoiser with a table's network, and a batch with its levels; argument
  /// error otherwise.
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;
  Tensor times(const GaussianProcess& process, const Batch& batch, const Rng& rng) const override;

 private:
  Options options_;
};

/// Which columns are given in each of n rows, (n, columns) float32 or undefined where none is in any: those
/// of `always`, and of the others as draw_given_columns says.
Tensor draw_given_beside(int64_t n, int64_t columns, const std::vector<int64_t>& always, double share,
                         DrawPosition position, const Rng& rng);

/// The mask (n, columns) float32, or none, with what is told of missing cells in a share `told` of the rows
/// that have a given column and a fifth as often in others: all columns in half of these, else a set as
/// draw_given_columns' of any size. Of them a cell that is missing, by the levels (n, discrete parts) int64,
/// becomes given, and one that is not -1. What is told does not depend on what the cells are, so that the law
/// given it is a conditional law.
Tensor tell_missing(const TableLayout& layout, const Tensor& mask, const Tensor& levels, double told,
                    DrawPosition position, const Rng& rng);

/// Which columns are given in each of n rows, (n, columns) float32: none in a share 1 - `share` of them, else
/// a set of uniform size from 1 to columns - 1, uniform among those of its size.
Tensor draw_given_columns(int64_t n, int64_t columns, double share, DrawPosition position, const Rng& rng);

}  // namespace fokker
