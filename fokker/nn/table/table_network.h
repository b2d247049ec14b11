#pragma once
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/table/table_heads.h"

namespace fokker {

/// What a table's network computes, trained or frozen: layers within a TableSpace.
class TableFunction {
 public:
  virtual ~TableFunction() = default;
  virtual const TableSpace& space() const = 0;
  /// (n, space().inputs()), time, label -> (n, space().outputs()).
  virtual const Forward& layers() const = 0;

  TableHeads heads(const Tensor& x, const Tensor& time, const Tensor& label,
                   const TableCondition& given = {}) const {
    return space().heads(layers(), x, time, label, given);
  }
  /// E[x_0 | x_t] (n, dims).
  Tensor denoised(const Tensor& x, const Tensor& time, const Tensor& label,
                  const TableCondition& given = {}) const {
    return space().denoised(layers(), x, time, label, given);
  }
};

/// The network of a table whose columns are of any kind: an Mlp within a TableSpace. forward() is the
/// denoised rows, given x scaled to unit variance and time = log(sigma/alpha)/4: a data prediction with
/// EDM's inputs.
class TableNetwork final : public Network, public TableFunction {
 public:
  /// The Mlp's dimensions are set by the layout. Argument error for a layout without parts, or an energy.
  TableNetwork(TableLayout layout, MlpOptions options, uint64_t seed = 0);

  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override;
  std::unique_ptr<const Forward> frozen() const override;
  std::unique_ptr<Network> clone() const override;
  Json config() const override;
  std::vector<int64_t> event_shape() const override { return {space_->layout().dims()}; }
  int64_t classes() const override { return layers_->classes(); }
  bool is_faster_in_bf16() const override { return layers_->is_faster_in_bf16(); }
  const TableSpace& space() const override { return *space_; }
  const Forward& layers() const override { return *layers_; }
  const MlpOptions& options() const { return layers_->options(); }

  /// Reads what config() wrote. Input error where it is not one.
  static std::unique_ptr<TableNetwork> from_config(const Json& config, uint64_t seed);

 private:
  std::shared_ptr<const TableSpace> space_;
  std::unique_ptr<Mlp> layers_;
};

}  // namespace fokker
