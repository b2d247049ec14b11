#pragma once
#include <ATen/ATen.h>

#include <string>

namespace fokker {

using at::IntArrayRef;
using at::Tensor;

/// "(3, 4)": a shape as it is written in messages.
std::string shape_string(IntArrayRef shape);
inline std::string shape_string(const Tensor& tensor) {
  return shape_string(tensor.sizes());
}

/// Number of elements of one sample: the product of all sizes but the first.
int64_t event_size(IntArrayRef shape);

/// Reshapes a vector of one value per sample, (n), so that it broadcasts over samples like `like`, (n, ...).
Tensor per_sample(const Tensor& values, const Tensor& like);

/// Sum over everything but the first dimension: (n, ...) -> (n).
Tensor sum_events(const Tensor& tensor);

/// Switches gradient recording off (or back on) for a scope.
class GradientMode {
 public:
  explicit GradientMode(bool enabled);
  ~GradientMode();
  GradientMode(const GradientMode&) = delete;
  GradientMode& operator=(const GradientMode&) = delete;

 private:
  bool previous_;
};

/// gradients of sum(outputs) with respect to `inputs`; `create_graph` where the result is differentiated
/// again.
std::vector<Tensor> gradients(const Tensor& output, const std::vector<Tensor>& inputs, bool create_graph);

/// J^T v of output's derivative J in `input`, with v of output's shape; `again` where another product with
/// the same graph follows.
Tensor vector_jacobian_product(const Tensor& output, const Tensor& input, const Tensor& v, bool again);

}  // namespace fokker
