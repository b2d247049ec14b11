#pragma once
#include "fokker/kernel/matrix/panel_product.h"
#include "fokker/kernel/mixture/mixture_softmax.h"

namespace fokker::kernel {

/// Memory of Panels: means less their centre in float32, coordinates of large variance first.
class ComponentPanels {
 public:
  explicit ComponentPanels(const CentredMeans& components);
  Panels panels() const;
  /// Puts a query, x less alpha times the centre, (d), into row `row` of the values and tail norms of `rows`
  /// PanelQueries.
  void pack(const double* centred, float* values, float* tail_norms, int64_t rows, int64_t row) const;

  Tensor centre;  // (d)
  double largest_norm = 0;

 private:
  void fill(const Tensor& offsets, int64_t begin);

  int64_t dimension_, components_, head_, step_;
  Tensor order_;  // (d): coordinate of each place
  Tensor values_, log_weights_, half_norms_, head_norms_, tail_norms_;
};

}  // namespace fokker::kernel
