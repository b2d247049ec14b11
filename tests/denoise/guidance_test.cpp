#include "fokker/denoise/guidance.h"

#include <gtest/gtest.h>

#include "support.h"

namespace fokker {
namespace {

/// Predicts label + x, or x alone without a label.
class ShiftByLabel final : public Denoiser {
 public:
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
    const Tensor shift =
        label.defined() ? label.to(at::kDouble).unsqueeze(1) : at::zeros({1, 1}, at::kDouble);
    return Estimate(x, x + shift, Prediction::noise(), process_, t);
  }
  const GaussianProcess& process() const override { return process_; }

 private:
  GaussianProcess process_{VariancePreserving{}};
};

// Ho and Salimans (2022): (1 - w) unconditional + w conditional, for every w.
TEST(GuidedDenoiser, IsLinearInItsWeight) {
  const ShiftByLabel inner;
  const Tensor x = rows_of({{0.5, -1.0}, {2.0, 0.0}});
  for (const double weight : {-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 7.5})
    EXPECT_LT(worst(GuidedDenoiser(inner, 4, weight).estimate(x, 0.5).value(), x + 4 * weight), 1e-12)
        << weight;
}

}  // namespace
}  // namespace fokker
