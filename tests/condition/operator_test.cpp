#include <gtest/gtest.h>

#include "fokker/condition/operator/operators.h"
#include "fokker/core/random/rng.h"
#include "fokker/data/array/npy.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

Tensor checkered(IntArrayRef shape) {
  return at::arange(at::zeros(shape).numel(), at::kLong).remainder(3).ne(1).reshape(shape);
}

std::vector<std::shared_ptr<const LinearOperator>> all_operators() {
  const std::vector<int64_t> image{2, 4, 6};
  const auto sum = [](const Tensor& x) { return x.sum(1, true); };
  const auto spread = [](const Tensor& r) { return r.expand({r.size(0), 5}); };
  const Tensor table =
      Rng(3).normal({400, 5}, {}, at::kDouble).matmul(Rng(4).normal({5, 5}, {}, at::kDouble)) + 2;
  const auto matrix =
      std::make_shared<MatrixOperator>(Rng(1).normal({3, 5}, {}, at::kDouble), std::vector<int64_t>{5});
  const auto mask = std::make_shared<MaskOperator>(checkered({5}));
  return {std::make_shared<MaskOperator>(checkered(image)),
          std::make_shared<MaskOperator>(checkered({5}), vector_of({1.0, 2.0, 0.5})),
          matrix,
          std::make_shared<MatrixOperator>(Rng(2).normal({3, 48}, {}, at::kDouble), image),
          std::make_shared<DownsampleOperator>(image, 2),
          std::make_shared<BlurOperator>(image, 0.8),
          std::make_shared<FunctionOperator>("sum", std::vector<int64_t>{5}, std::vector<int64_t>{1}, sum,
                                             spread),
          in_model_units(matrix, Normalisation::fit(table, NormalisationKind::whiten)).on_model,
          in_model_units(mask, Normalisation::fit(table, NormalisationKind::standardise)).on_model,
          in_model_units(matrix, Normalisation::fit(table, NormalisationKind::standardise)).on_model};
}

TEST(LinearOperator, HasItsAdjointAndItsMatrix) {
  for (const auto& a : all_operators()) {
    EXPECT_LT(adjoint_error(*a), 1e-14) << a->name();
    std::vector<int64_t> batch{4};
    batch.insert(batch.end(), a->input_shape().begin(), a->input_shape().end());
    const Tensor x = Rng(5).normal(batch, {}, at::kDouble);
    EXPECT_LT(worst(a->apply(x).flatten(1), x.flatten(1).matmul(a->matrix().t())), 1e-13) << a->name();
    EXPECT_LT(worst(a->apply(x.to(at::kFloat)).to(at::kDouble), a->apply(x)), 1e-5) << a->name();
  }
}

// Solves and the pseudo-inverse against libtorch's dense ones.
TEST(LinearOperator, InvertsByItsSpectrum) {
  for (const auto& a : all_operators()) {
    const Tensor dense = a->matrix(), gram = dense.matmul(dense.t()),
                 one = at::eye(gram.size(0), at::kDouble);
    std::vector<int64_t> batch{3};
    batch.insert(batch.end(), a->output_shape().begin(), a->output_shape().end());
    const Tensor r = Rng(6).normal(batch, {}, at::kDouble);
    const Tensor solved = at::linalg_solve(0.7 * gram + 0.3 * one, r.flatten(1).t()).t();
    EXPECT_LT(worst(a->solve(r, 0.7, 0.3).flatten(1), solved), 1e-11) << a->name();
    const double condition = a->name() == "blur" ? 1e4 : 1;
    EXPECT_LT(worst(a->pseudo_inverse(r).flatten(1), r.flatten(1).matmul(at::linalg_pinv(dense).t())),
              1e-10 * condition)
        << a->name();
    EXPECT_EQ(a->rank(), at::linalg_matrix_rank(dense).item<int64_t>()) << a->name();
  }
}

TEST(LinearOperator, KnowsWhatNoEventGives) {
  const Tensor twice = rows_of({{1, 2, 0}, {2, 4, 0}, {0, 0, 1}});
  const MatrixOperator a(twice, {3});
  EXPECT_EQ(a.rank(), 2);
  const Tensor possible = a.apply(rows_of({{0.3, -1, 2}}));
  EXPECT_LT(a.out_of_range(possible).abs().max().item<double>(), 1e-14);
  EXPECT_LT(worst(a.out_of_range(rows_of({{2, -1, 5}})), rows_of({{2, -1, 0}})), 1e-14);
}

// Columns in units of their own: nothing of a diagonal is rounding, however unlike its numbers are.
TEST(MaskOperator, SeesColumnsOfAnyUnits) {
  const MaskOperator a(at::tensor({1, 0, 1}).to(at::kBool), vector_of({1e9, 1e-3}));
  EXPECT_EQ(a.rank(), 2);
  EXPECT_LT(worst(a.pseudo_inverse(rows_of({{3e9, 2e-3}})), rows_of({{3, 0, 2}})), 1e-12);
  EXPECT_EQ(a.out_of_range(rows_of({{3e9, 2e-3}})).abs().max().item<double>(), 0);
}

// A picture cos(pi k (i + 1/2) / n) of each axis is only scaled, and a constant stays.
TEST(BlurOperator, DampsCosinesAsAGaussianDoes) {
  const double sigma = 1.3;
  const BlurOperator blur({1, 16, 12}, sigma);
  const Tensor rows = (at::arange(16, at::kDouble) + 0.5).mul(M_PI * 3 / 16).cos(),
               columns = (at::arange(12, at::kDouble) + 0.5).mul(M_PI * 2 / 12).cos();
  const Tensor x = (rows.unsqueeze(1) * columns).reshape({1, 1, 16, 12});
  const double power = std::pow(3 * M_PI / 16, 2) + std::pow(2 * M_PI / 12, 2);
  EXPECT_LT(worst(blur.apply(x), x * std::exp(-0.5 * sigma * sigma * power)), 1e-14);
  EXPECT_LT(worst(blur.apply(at::ones_like(x)), at::ones_like(x)), 1e-14);
  // In the middle of a large picture it is convolution with the normal density.
  Tensor spike = at::zeros({1, 1, 41, 41}, at::kDouble);
  spike[0][0][20][20] = 1.0;
  const Tensor seen = BlurOperator({1, 41, 41}, 2.0).apply(spike)[0][0];
  const double density = 1 / (2 * M_PI * 4);
  EXPECT_NEAR(seen[20][20].item<double>(), density, 1e-6 * density);
  EXPECT_NEAR(seen[22][19].item<double>(), density * std::exp(-5.0 / 8), 1e-6 * density);
}

TEST(ModelOperator, MeasuresTheSameInBothUnits) {
  const Tensor table =
      Rng(3).normal({400, 3}, {}, at::kDouble).matmul(rows_of({{5, 1, 0}, {0, 0.1, 0}, {0, 2, 3}})) + 7;
  for (const auto kind :
       {NormalisationKind::identity, NormalisationKind::standardise, NormalisationKind::whiten}) {
    const Normalisation units = Normalisation::fit(table, kind);
    for (const std::shared_ptr<const LinearOperator>& user :
         {std::shared_ptr<const LinearOperator>(
              std::make_shared<MatrixOperator>(rows_of({{1, 2, 3}, {0, 1, 0}}), std::vector<int64_t>{3})),
          std::shared_ptr<const LinearOperator>(std::make_shared<MaskOperator>(checkered({3})))}) {
      const ModelOperator model = in_model_units(user, units);
      const Tensor z = units.apply(table, at::kDouble);
      EXPECT_LT(worst(model.on_model->apply(z) + model.offset, user->apply(table)), 1e-11) << to_string(kind);
    }
  }
}

class OperatorSpec : public FolderTest {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
};

TEST_F(OperatorSpec, ReadsFiles) {
  save_npy(path("mask.npy"), at::tensor({1.0, 0.0, 1.0}));
  save_npy(path("a.npy"), rows_of({{1, 2, 3}}));
  const OperatorFrame frame{.event = {3}, .columns = {"a", "b", "c"}};
  const Tensor x = rows_of({{5, 6, 7}});
  EXPECT_LT(worst(make_operator("mask:" + path("mask.npy"), frame)->apply(x), rows_of({{5, 7}})), 1e-15);
  EXPECT_LT(worst(make_operator("mask:columns=c+b", frame)->apply(x), rows_of({{6, 7}})), 1e-15);
  EXPECT_LT(worst(make_operator("matrix:" + path("a.npy"), frame)->apply(x), rows_of({{38}})), 1e-15);
  const OperatorFrame image{.event = {1, 4, 4}};
  EXPECT_EQ(make_operator("downsample:2", image)->output_shape(), (std::vector<int64_t>{1, 2, 2}));
  EXPECT_EQ(make_operator("crop:top=1,height=2,width=3", image)->measured(), 6);
  save_npy(path("image.npy"), at::eye(4, at::kByte));
  EXPECT_EQ(make_operator("mask:" + path("image.npy"), {.event = {3, 4, 4}})->measured(), 12)
      << "every channel";
  register_operator("third", [](Spec&, const OperatorFrame& f) {
    return std::make_shared<MatrixOperator>(at::eye(f.event[0], at::kDouble).slice(0, 2, 3), f.event);
  });
  EXPECT_EQ(make_operator("third", frame)->apply(x).item<double>(), 7);
}

TEST_F(OperatorSpec, RefusesWhatDoesNotFit) {
  const OperatorFrame frame{.event = {3}, .columns = {"a", "b", "c"}}, image{.event = {1, 6, 4}};
  const auto refused = [&](const std::string& spec, const OperatorFrame& of) {
    return refusal_of([&] { make_operator(spec, of); });
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(refused("twist:2", frame), HasSubstr("unknown operator 'twist'; valid names: mask, crop"));
  EXPECT_THAT(refused("mask", frame), HasSubstr("expected what it is made of"));
  EXPECT_THAT(refused("mask:columns=a+z", frame),
              HasSubstr("expected columns among a, b, c but received 'z'"));
  EXPECT_THAT(refused("downsample:2", frame), HasSubstr("expected images (channels, height, width)"));
  EXPECT_THAT(refused("downsample:4", image), HasSubstr("divides 6 x 4 pixels but received 4"));
  EXPECT_THAT(refused("downsample:0", image), HasSubstr("expected a factor > 0 but received 0"));
  EXPECT_THAT(refused("blur:0", image), HasSubstr("expected a width > 0 but received 0"));
  EXPECT_THAT(refused("crop:top=5,height=2,width=2", image), HasSubstr("a window within 6 x 4 pixels"));
  EXPECT_THAT(refused("blur:0.5", frame), HasSubstr("expected images"));
  save_npy(path("a.npy"), rows_of({{1, 2}}));
  EXPECT_THAT(refused("matrix:" + path("a.npy"), frame), HasSubstr("expected a matrix of 3 columns"));
  save_npy(path("mask.npy"), at::tensor({1.0, 0.5, 1.0}));
  EXPECT_THAT(refused("mask:" + path("mask.npy"), frame), HasSubstr("0 (hidden) and 1 (seen)"));
  EXPECT_THAT(refused("mask:" + path("mask.npy"), image),
              HasSubstr("expected a mask of shape (1, 6, 4) but it has (3)"));
  const auto twice = [](const Tensor& x) { return 2 * x; };
  const auto same = [](const Tensor& x) { return x; };
  EXPECT_THAT([&] { FunctionOperator("mine", {3}, {3}, twice, same); },
              message("is not the adjoint of the first"));
  EXPECT_THAT([&] { MaskOperator(at::zeros({3}, at::kBool)); }, message("at least one number"));
}

}  // namespace
}  // namespace fokker
