#pragma once
#include "fokker/denoise/learned.h"
#include "fokker/nn/table/table_network.h"

namespace fokker {

/// How a TableNetwork is meant: it predicts the data, from inputs of unit variance at a quarter of log sigma.
DenoiserSpec table_denoiser_spec(GaussianProcess process);

/// Rows x0 (n, dims) of which these of so many columns are given.
TableCondition known_columns(const Tensor& x0, const std::vector<int64_t>& columns, int64_t of);

/// What a table's network says at (x_t, t), beside the estimate that samplers see.
class TableDenoiser final : public Denoiser {
 public:
  /// The rows of the condition may be undefined: nothing is given. Its labels (n) are classes of the rows.
  /// Argument error unless the network is a table's and the specification table_denoiser_spec's.
  TableDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec, TableCondition given = {},
                Tensor labels = {});

  /// The same function told other rows.
  TableDenoiser with(TableCondition given, Tensor labels) const;

  /// label: where rows are given or have labels, (n) int64, which of those each row of x is. Otherwise the
  /// class.
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  /// What an estimate comes from, and E[x_0 | x_t] (n, dims), by one call of the network.
  struct Answer {
    TableHeads heads;
    Tensor denoised;
  };
  Answer answer(const Tensor& x, const Times& t, const Tensor& label = {}) const;
  const GaussianProcess& process() const override { return spec_.process; }
  std::shared_ptr<const Denoiser> frozen() const override;
  const TableSpace& space() const { return function_->space(); }

 private:
  struct Inputs {
    Tensor x, time, label;
    TableCondition given;
  };
  TableDenoiser(std::shared_ptr<const TableFunction> function, bool bf16, DenoiserSpec spec,
                TableCondition given, Tensor labels);
  Inputs inputs(const Tensor& x, const Times& t, const Tensor& label) const;

  std::shared_ptr<const Network> network_;  ///< null where frozen
  std::shared_ptr<const TableFunction> function_;
  bool bf16_ = false;
  DenoiserSpec spec_;
  TableCondition given_;
  Tensor labels_;
};

}  // namespace fokker
