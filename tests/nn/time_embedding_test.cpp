#include "fokker/nn/time_embedding.h"

#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;

Tensor times() {
  return at::tensor({0.0, 0.125, 0.7, 37.0, 999.0}, at::kDouble);
}

TEST(TimeEmbedding, FourierIsTheSinesOfMultiplesOfTheTime) {
  const Tensor phi = fourier_embedding(times().slice(0, 0, 3), 5);
  ASSERT_EQ(phi.sizes(), (IntArrayRef{3, 5}));
  for (int i = 0; i < 3; ++i)
    for (int k = 1; k <= 5; ++k)
      EXPECT_NEAR(phi[i][k - 1].item<double>(), std::sin(2 * M_PI * k * times()[i].item<double>()), 1e-12);
}

// At t = 1/8: sin(pi/4), sin(pi/2), sin(3 pi/4), sin(pi).
TEST(TimeEmbedding, FourierAtAnEighth) {
  const Tensor phi = fourier_embedding(at::tensor({0.125}, at::kDouble), 4);
  EXPECT_LT(difference(phi, at::tensor({M_SQRT1_2, 1.0, M_SQRT1_2, 0.0}, at::kDouble)), 1e-12);
}

// The last angle's frequency is max_period^{-(half - 1)/(half - shift)}.
TEST(TimeEmbedding, SinusoidalAgreesWithItsFormula) {
  for (const bool flip : {false, true})
    for (const double shift : {0.0, 1.0})
      for (const int64_t size : {8, 9}) {
        const Tensor e = sinusoidal_embedding(times(), size, {flip, shift, 10000});
        ASSERT_EQ(e.sizes(), (IntArrayRef{5, size}));
        const int64_t half = size / 2;
        for (int64_t n = 0; n < 5; ++n)
          for (int64_t i = 0; i < half; ++i) {
            const double angle = times()[n].item<double>() * std::pow(10000.0, -i / (half - shift));
            EXPECT_NEAR(e[n][flip ? half + i : i].item<double>(), std::sin(angle), 1e-10);
            EXPECT_NEAR(e[n][flip ? i : half + i].item<double>(), std::cos(angle), 1e-10);
          }
        if (size % 2) {
          EXPECT_EQ(e.select(1, size - 1).abs().max().item<double>(), 0);
        }
      }
}

TEST(TimeEmbedding, SquaredSinesAndCosinesAddUpToHalfTheSize) {
  const Tensor e = sinusoidal_embedding(times(), 64);
  EXPECT_LT(difference(e.square().sum(1), at::full({5}, 32.0, at::kDouble)), 1e-10);
}

TEST(TimeEmbedding, MaximalPeriodSetsTheSlowestFrequencyInTheLimitOfShiftOne) {
  const Tensor e = sinusoidal_embedding(at::tensor({1.0}, at::kDouble), 4, {false, 1, 100});
  EXPECT_NEAR(e[0][1].item<double>(), std::sin(0.01), 1e-14);
}

TEST(TimeEmbedding, RawIsTheTimeItself) {
  EXPECT_EQ(difference(time_features(TimeFeatures::raw, times(), 64), times().unsqueeze(1)), 0);
}

TEST(TimeEmbedding, NamesRoundTrip) {
  for (const auto* name : {"raw", "fourier", "sinusoidal"})
    EXPECT_EQ(time_features_name(parse_time_features(name)), name);
  expect_error([] { parse_time_features("fourrier"); }, ErrorKind::argument,
               "expected raw, fourier or sinusoidal but received \"fourrier\"");
}

TEST(TimeEmbedding, RefusesBadShapes) {
  expect_error([] { fourier_embedding(at::zeros({2, 2}), 4); }, ErrorKind::argument, "received (2, 2)");
  expect_error([] { fourier_embedding(at::zeros({2}, at::kLong), 4); }, ErrorKind::argument,
               "floating-point");
  expect_error([] { fourier_embedding(at::zeros({2}), 0); }, ErrorKind::argument, "size > 0 but received 0");
  expect_error(
      [] {
        sinusoidal_embedding(at::zeros({2}), 2, {true, 1, 10000});
      },
      ErrorKind::argument, "size / 2 > frequency shift");
}

}  // namespace
}  // namespace fokker
