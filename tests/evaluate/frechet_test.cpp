#include "fokker/evaluate/two_sample/frechet.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fokker/core/random/rng.h"
#include "fokker/evaluate/two_sample/image_classifier.h"
#include "support.h"

namespace fokker {
namespace {

/// n points whose sample mean and covariance (n - 1) are exactly these.
Tensor with_moments(int64_t n, const Tensor& mean, const Tensor& covariance, uint64_t seed) {
  Tensor z = Rng(seed).normal({n, mean.size(0)}, {}, at::kDouble);
  z = z - z.mean(0);
  const Tensor own = z.t().matmul(z) / static_cast<double>(n - 1);
  const Tensor whitened = at::linalg_solve(at::linalg_cholesky(own), z.t());
  return at::linalg_cholesky(covariance).matmul(whitened).t() + mean;
}

TEST(Frechet, OfGaussiansInTheirAxesIsTheSumOverCoordinates) {
  // Commuting covariances: |m|^2 + sum (s_i - r_i)^2.
  const Tensor zero = at::zeros({3}, at::kDouble), shift = at::tensor({1.0, -2.0, 0.5}, at::kDouble);
  const Tensor s = at::tensor({1.0, 2.0, 3.0}, at::kDouble), r = at::tensor({0.5, 4.0, 1e-3}, at::kDouble);
  const Tensor x = with_moments(50, zero, at::diag(s * s), 1),
               y = with_moments(80, shift, at::diag(r * r), 2);
  const double expected = (shift.square() + (s - r).square()).sum().item<double>();
  EXPECT_NEAR(frechet_distance(x, y), expected, 1e-9);
  EXPECT_NEAR(frechet_distance(y, x), expected, 1e-9);
  EXPECT_NEAR(frechet_distance(x, x), 0, 1e-9);
}

TEST(Frechet, OfGaussiansInThePlaneIsTheClosedForm) {
  // tr (AB)^{1/2} of 2 x 2 matrices is sqrt(tr AB + 2 sqrt(det AB)).
  const Tensor zero = at::zeros({2}, at::kDouble);
  const Tensor a = at::tensor({2.0, 0.7, 0.7, 1.0}, at::kDouble).view({2, 2});
  const Tensor b = at::tensor({0.5, -0.4, -0.4, 3.0}, at::kDouble).view({2, 2});
  const double trace = a.matmul(b).trace().item<double>();
  const double determinant = at::linalg_det(a).item<double>() * at::linalg_det(b).item<double>();
  const double expected =
      a.trace().item<double>() + b.trace().item<double>() - 2 * std::sqrt(trace + 2 * std::sqrt(determinant));
  EXPECT_NEAR(frechet_distance(with_moments(40, zero, a, 3), with_moments(60, zero, b, 4)), expected, 1e-9);
}

TEST(Frechet, RefusesSetsThatDoNotFit) {
  expect_error([] { frechet_distance(at::zeros({5, 2}), at::zeros({5, 3})); }, ErrorKind::argument, "(n, d)");
  expect_error([] { frechet_distance(at::zeros({1, 2}), at::zeros({5, 2})); }, ErrorKind::argument, "two");
}

/// Bright squares at one of four corners under noise: classes that a look tells apart.
Dataset corners(int64_t n, uint64_t seed) {
  Dataset data{.values = at::empty({n, 1, 12, 12}, at::kByte), .source = "corners"};
  data.labels = Rng(seed).stream("labels").integers(n, 4);
  const Tensor noise = Rng(seed).stream("noise").normal({n, 1, 12, 12}) * 20 + 90;
  data.values.copy_(noise.clamp(0, 255));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t k = data.labels[i].item<int64_t>();
    data.values[i][0].narrow(0, k / 2 * 6, 5).narrow(1, k % 2 * 6, 5).fill_(230);
  }
  return data;
}

TEST(ImageClassifierTest, LearnsClassesAndItsFeaturesSeeWhatIsWrong) {
  const ImageClassifier classifier(corners(1200, 1), {.epochs = 6, .batch = 32});
  EXPECT_GT(classifier.accuracy(), 0.95);
  const Dataset held = corners(600, 2);
  const Tensor reference = classifier.features(held.values);
  EXPECT_EQ(reference.size(1), ImageClassifier::feature_count);
  const double same = frechet_distance(classifier.features(corners(600, 3).values), reference);
  // One class missing, and noise in the place of images: each is further away than another draw of the same
  // law.
  const Tensor kept = at::nonzero(corners(900, 4).labels.ne(0)).squeeze(1);
  const double missing =
      frechet_distance(classifier.features(corners(900, 4).values.index_select(0, kept)), reference);
  const Tensor noise = (Rng(5).uniform({600, 1, 12, 12}) * 255).to(at::kByte);
  const double wrong = frechet_distance(classifier.features(noise), reference);
  EXPECT_GT(missing, 5 * same);
  EXPECT_GT(wrong, 2 * missing);
}

TEST(ImageClassifierTest, IsTheSameForTheSameSeedWhateverTheTypeOfPixels) {
  const Dataset data = corners(200, 1);
  Dataset floats = data;
  floats.values = data.values.to(at::kFloat) / 127.5 - 1;
  const ImageClassifier a(data, {.epochs = 1}), b(floats, {.epochs = 1}),
      other(data, {.epochs = 1, .seed = 1});
  const Tensor x = corners(20, 2).values, from_bytes = a.features(x);
  EXPECT_LT(worst(b.features(x.to(at::kFloat) / 127.5 - 1), from_bytes), 1e-4);
  EXPECT_GT(worst(other.features(x), from_bytes), 1e-2);
}

TEST(ImageClassifierTest, RefusesDataWithoutLabelsOrOfOneClass) {
  Dataset data = corners(20, 1);
  data.labels = at::zeros({20}, at::kLong);
  expect_error([&] { ImageClassifier(data, {}); }, ErrorKind::input, "two classes");
  data.labels = Tensor();
  expect_error([&] { ImageClassifier(data, {}); }, ErrorKind::input, "labels");
}

}  // namespace
}  // namespace fokker
