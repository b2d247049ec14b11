#include "fokker/nn/convolution.h"

#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;

struct Form {
  int64_t n, inputs, outputs, height, width;
  bool normed, upsampled, shifted, residual;
};

Tensor term(const char* name, IntArrayRef sizes) {
  return Rng(51).stream(name).normal(sizes);
}

ConvolutionTerms terms_of(const Form& f) {
  const int64_t factor = f.upsampled ? 2 : 1;
  ConvolutionTerms t = {.x = term("x", {f.n, f.inputs, f.height, f.width}) + 0.3,
                        .weight = term("weight", {f.outputs, f.inputs, 3, 3}),
                        .bias = term("bias", {f.outputs}),
                        .norm_groups = 2,
                        .upsampled = f.upsampled};
  if (f.normed) {
    t.norm_weight = term("norm weight", {f.inputs});
    t.norm_bias = term("norm bias", {f.inputs});
  }
  if (f.shifted) t.shift = term("shift", {f.n > 2 ? 1 : f.n, f.outputs});
  if (f.residual) t.residual = term("residual", {f.n, f.outputs, factor * f.height, factor * f.width});
  return t;
}

std::vector<Tensor*> parts_of(ConvolutionTerms& t) {
  std::vector<Tensor*> parts;
  for (Tensor* part : {&t.x, &t.weight, &t.bias, &t.norm_weight, &t.norm_bias, &t.shift, &t.residual})
    if (part->defined()) parts.push_back(part);
  return parts;
}

/// Copies of that type, which record gradients.
ConvolutionTerms leaves(ConvolutionTerms t, at::ScalarType type) {
  for (Tensor* part : parts_of(t)) *part = part->detach().to(type).clone().requires_grad_(true);
  return t;
}
std::vector<Tensor> inputs_of(ConvolutionTerms& t) {
  std::vector<Tensor> inputs;
  for (const Tensor* part : parts_of(t)) inputs.push_back(*part);
  return inputs;
}

class ConvolutionForms : public ::testing::TestWithParam<Form> {
 protected:
  ConvolutionTerms single = leaves(terms_of(GetParam()), at::kFloat);
  ConvolutionTerms exact = leaves(terms_of(GetParam()), at::kDouble);
};

TEST_P(ConvolutionForms, ValueAndGradientsAgreeWithFloat64) {
  const Tensor y = convolution3(single), expected = plain_convolution3(exact);
  EXPECT_LT(relative_difference(y.detach(), expected.detach()), 1e-5);
  const Tensor dy = term("dy", expected.sizes());
  const auto found = gradients(y * dy, inputs_of(single), false);
  const auto wanted = gradients(expected * dy.to(at::kDouble), inputs_of(exact), false);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_LT(relative_difference(found[i], wanted[i]), 3e-5) << i;
}

// The gradient along a direction in all terms at once, against differences of the plain form in float64.
TEST_P(ConvolutionForms, GradientsAgreeWithCentralDifferences) {
  const Tensor dy = term("dy", plain_convolution3(exact).sizes());
  const auto found = gradients(convolution3(single) * dy, inputs_of(single), false);
  double along = 0;
  std::vector<Tensor> directions;
  for (size_t i = 0; i < found.size(); ++i) {
    directions.push_back(term(("direction " + std::to_string(i)).c_str(), found[i].sizes()).to(at::kDouble));
    along += (found[i].to(at::kDouble) * directions[i]).sum().item<double>();
  }
  const auto loss = [&](double h) {
    ConvolutionTerms moved = leaves(exact, at::kDouble);
    const auto parts = parts_of(moved);
    for (size_t i = 0; i < parts.size(); ++i) *parts[i] = parts[i]->detach() + h * directions[i];
    return (plain_convolution3(moved) * dy.to(at::kDouble)).sum().item<double>();
  };
  const double numeric = (loss(1e-5) - loss(-1e-5)) / 2e-5;
  EXPECT_NEAR(along, numeric, 1e-4 * (1 + std::abs(numeric)));
}

// The gradient of |d sum(y^2)/dx|^2: first derivatives are recorded, and differentiated again.
TEST_P(ConvolutionForms, SecondDerivativesAgreeWithFloat64) {
  const auto second = [](ConvolutionTerms& t, bool plain) {
    const Tensor y = plain ? plain_convolution3(t) : convolution3(t);
    const Tensor penalty = gradients(y.square() / y.numel(), {t.x}, true)[0].square().sum();
    return gradients(penalty, {t.x, t.weight}, false);
  };
  const auto found = second(single, false), wanted = second(exact, true);
  for (size_t i = 0; i < 2; ++i) EXPECT_LT(relative_difference(found[i], wanted[i]), 1e-4) << i;
}

INSTANTIATE_TEST_SUITE_P(All, ConvolutionForms,
                         ::testing::Values(Form{1, 4, 3, 1, 1, false, false, false, false},
                                           Form{2, 6, 10, 3, 5, true, false, true, false},
                                           Form{3, 12, 12, 7, 7, true, false, true, true},
                                           Form{2, 1, 9, 28, 28, false, false, false, true},
                                           Form{1, 8, 5, 16, 16, false, true, false, false},
                                           Form{2, 10, 8, 4, 3, true, true, true, true}));

TEST(Convolution3, RefusesShapesThatDoNotFitTogether) {
  const ConvolutionTerms good = terms_of({2, 6, 10, 3, 5, true, true, true, true});
  convolution3(good);
  const auto with = [&](Tensor ConvolutionTerms::*member, const Tensor& value) {
    return [=] {
      ConvolutionTerms t = good;
      t.*member = value;
      convolution3(t);
    };
  };
  using Terms = ConvolutionTerms;
  EXPECT_THAT(with(&Terms::x, at::zeros({6, 3, 5})), message("x (n, inputs, h, w)"));
  EXPECT_THAT(with(&Terms::weight, at::zeros({10, 5, 3, 3})), message("a weight of shape (10, 6, 3, 3)"));
  EXPECT_THAT(with(&Terms::weight, at::zeros({10, 6, 1, 1})), message("a weight of shape (10, 6, 3, 3)"));
  EXPECT_THAT(with(&Terms::bias, at::zeros({1})), message("a bias of shape (10)"));
  EXPECT_THAT(with(&Terms::norm_weight, at::zeros({10})), message("a norm's weight of shape (6)"));
  EXPECT_THAT(with(&Terms::norm_bias, {}), message("both a weight and a bias"));
  EXPECT_THAT(with(&Terms::shift, at::zeros({3, 10})), message("a shift of shape (2, 10)"));
  EXPECT_THAT(with(&Terms::residual, at::zeros({2, 10, 3, 5})),
              message("a residual of shape (2, 10, 6, 10)"));
  EXPECT_THAT(
      [&] {
        ConvolutionTerms t = good;
        t.norm_groups = 4;
        convolution3(t);
      },
      message("groups that divide the 6 channels"));
}

// Sums over 6e4 pixels that are alike.
TEST(Convolution3, GradientsOfLargeImagesKeepTheirDigits) {
  ConvolutionTerms t = terms_of({2, 4, 3, 180, 180, true, false, true, false});
  t.x = t.x * 1e-2 + 1;
  ConvolutionTerms single = leaves(t, at::kFloat), exact = leaves(t, at::kDouble);
  const Tensor dy = term("dy", {2, 3, 180, 180}) * 1e-2 + 0.7;
  const auto found = gradients(convolution3(single) * dy, inputs_of(single), false);
  const auto wanted = gradients(plain_convolution3(exact) * dy.to(at::kDouble), inputs_of(exact), false);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_LT(relative_difference(found[i], wanted[i]), 2e-5) << i;
  EXPECT_LT(relative_difference(found[2], wanted[2]), 1e-6);
}

// Inputs in any layout, and a gradient that is not the whole result's.
TEST(Convolution3, LayoutsDoNotMatter) {
  ConvolutionTerms rows = leaves(terms_of({2, 6, 5, 9, 6, true, false, true, true}), at::kFloat);
  ConvolutionTerms last = rows;
  last.x = rows.x.contiguous(at::MemoryFormat::ChannelsLast);
  last.residual = rows.residual.contiguous(at::MemoryFormat::ChannelsLast);
  const auto cropped = [](const ConvolutionTerms& t) { return convolution3(t).narrow(2, 0, 7).square(); };
  const auto a = gradients(cropped(rows), inputs_of(rows), false);
  const auto b = gradients(cropped(last), inputs_of(rows), false);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(difference(a[i], b[i]), 0) << i;
}

}  // namespace
}  // namespace fokker
