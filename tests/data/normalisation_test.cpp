#include "fokker/data/normalisation.h"

#include "data/damage.h"
#include "fokker/core/random/rng.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

using Kind = NormalisationKind;

/// Correlated columns of very different sizes: (n, 3).
Tensor correlated(int64_t n) {
  const Tensor z = Rng(5).normal({n, 3}, {}, at::kDouble);
  const Tensor mix =
      at::tensor({1.0, 0.0, 0.0, 3.0, 2.0, 0.0, -100.0, 50.0, 10.0}, at::kDouble).reshape({3, 3});
  return z.mm(mix.t()) + at::tensor({5.0, -1e4, 1e-3}, at::kDouble);
}

double largest(const Tensor& tensor) {
  return tensor.abs().max().item<double>();
}

Tensor covariance(const Tensor& z) {
  return z.t().mm(z) / static_cast<double>(z.size(0));
}

TEST(Normalisation, StandardisesEachColumn) {
  const Tensor x = correlated(500);
  const Tensor z = Normalisation::fit(x, Kind::standardise).apply(x, at::kDouble);
  EXPECT_LT(largest(z.mean(0)), 1e-12);
  EXPECT_LT(largest(z.square().mean(0) - 1), 1e-12);
  // The correlation of the columns is untouched: cov(0, 1) = 3 / sqrt(9 + 4).
  EXPECT_NEAR(covariance(z)[0][1].item<double>(), 3 / std::sqrt(13.0), 0.05);
}

TEST(Normalisation, WhitensToIdentityCovariance) {
  const Tensor x = correlated(500);
  const Tensor z = Normalisation::fit(x, Kind::whiten).apply(x, at::kDouble);
  EXPECT_LT(largest(z.mean(0)), 1e-11);
  EXPECT_LT(largest(covariance(z) - at::eye(3, at::kDouble)), 1e-10);
}

TEST(Normalisation, IsExactFarFromZero) {
  // Eight values of mean 1e9 and population deviation 1, exactly representable.
  const Tensor offsets = at::tensor({-1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0}, at::kDouble);
  const Normalisation map = Normalisation::fit((offsets + 1e9).unsqueeze(1), Kind::standardise);
  EXPECT_EQ(map.to_json()["shift"][0].get<double>(), 1e9);
  EXPECT_EQ(map.to_json()["scale"][0].get<double>(), 1.0);
  EXPECT_TRUE(map.apply((offsets + 1e9).unsqueeze(1)).equal(offsets.to(at::kFloat).unsqueeze(1)));
  EXPECT_TRUE(map.invert(offsets.to(at::kFloat).unsqueeze(1)).equal((offsets + 1e9).unsqueeze(1)));
}

TEST(Normalisation, InverseUndoesApply) {
  const Tensor x = correlated(300);
  for (const Kind kind : {Kind::identity, Kind::standardise, Kind::whiten}) {
    const Normalisation map = Normalisation::fit(x, kind);
    const Tensor back = map.invert(map.apply(x, at::kDouble));
    EXPECT_EQ(back.scalar_type(), at::kDouble);
    EXPECT_LT(largest((back - x) / x.abs().amax(0)), 1e-12) << to_string(kind);
    // In the float32 that models see, to float32's accuracy of each column's spread.
    const Tensor rough = map.invert(map.apply(x));
    EXPECT_EQ(map.apply(x).scalar_type(), at::kFloat);
    EXPECT_LT(largest((rough - x) / x.abs().amax(0)), 1e-6);
  }
}

TEST(Normalisation, LogDeterminantAgreesWithANumericJacobian) {
  const Tensor x = correlated(300);
  for (const Kind kind : {Kind::identity, Kind::standardise, Kind::whiten}) {
    const Normalisation map = Normalisation::fit(x, kind);
    // The map is affine, so differences over unit steps are its Jacobian.
    const Tensor base = map.apply(at::zeros({1, 3}, at::kDouble), at::kDouble);
    const Tensor jacobian = map.apply(at::eye(3, at::kDouble), at::kDouble) - base;
    EXPECT_NEAR(map.log_abs_det(), jacobian.det().abs().log().item<double>(), 1e-9) << to_string(kind);
  }
}

TEST(Normalisation, PullbackIsTheGradientOfTheLogDensityInDataUnits) {
  const Tensor x = correlated(300);
  const Tensor precision =
      at::tensor({2.0, 0.3, 0.0, 0.3, 1.0, -0.2, 0.0, -0.2, 0.5}, at::kDouble).reshape({3, 3});
  for (const Kind kind : {Kind::identity, Kind::standardise, Kind::whiten}) {
    const Normalisation map = Normalisation::fit(x, kind);
    // log p_data of a Gaussian in model space, up to a constant.
    const auto log_density = [&](const Tensor& point) {
      const Tensor z = map.apply(point, at::kDouble);
      return (z.mm(precision).mul(z).sum() * -0.5).item<double>();
    };
    const Tensor point = x.slice(0, 7, 8);
    const Tensor score = map.pullback_score(-map.apply(point, at::kDouble).mm(precision));
    for (int64_t i = 0; i < 3; ++i) {
      const double step = 1e-3 * x.std(0)[i].item<double>();
      Tensor ahead = point.clone(), behind = point.clone();
      ahead[0][i] += step;
      behind[0][i] -= step;
      const double difference = (log_density(ahead) - log_density(behind)) / (2 * step);
      EXPECT_NEAR(score[0][i].item<double>(), difference, 1e-5 * std::abs(difference) + 1e-9)
          << to_string(kind);
    }
  }
}

TEST(Normalisation, IsSafeForConstantAndCollinearColumns) {
  const Tensor a = Rng(1).normal({100}, {}, at::kDouble);
  // 0.1 + 0.1 + ... is not 100 * 0.1: a mean by summation would be off by a rounding and the deviation tiny.
  const Tensor x = at::stack({a, a, 2 * a - 7, at::full({100}, 0.1, at::kDouble)}, 1);
  for (const Kind kind : {Kind::standardise, Kind::whiten}) {
    const Normalisation map = Normalisation::fit(x, kind);
    const Tensor z = map.apply(x, at::kDouble);
    EXPECT_LT(largest(z), 10) << to_string(kind);
    EXPECT_LT(largest(map.invert(z) - x), 1e-12);
    EXPECT_TRUE(std::isfinite(map.log_abs_det()));
  }
  const Json json = Normalisation::fit(x, Kind::standardise).to_json();
  EXPECT_EQ(json["shift"][3].get<double>(), 0.1);
  EXPECT_EQ(json["scale"][3].get<double>(), 1.0);
}

TEST(Normalisation, HandlesTheEndsOfTheRange) {
  const Tensor x = at::tensor({1e300, -1e-300, 3e300, 1e-300}, at::kDouble).reshape({2, 2});
  const Tensor z = Normalisation::fit(x, Kind::standardise).apply(x, at::kDouble);
  EXPECT_LT(largest(z.select(1, 0) - at::tensor({-1.0, 1.0}, at::kDouble)), 1e-12);
  EXPECT_LT(largest(z.select(1, 1)), 1.1);
  EXPECT_THAT(
      error_of([] {
        Normalisation::fit(at::tensor({1.7e308, -1.7e308}, at::kDouble).unsqueeze(1), Kind::standardise);
      }),
      HasSubstr("spans more than float64 holds"));
  EXPECT_THAT(
      error_of([] {
        Normalisation::fit(at::tensor({1.0, std::nan(""), 2.0}, at::kDouble).unsqueeze(1), Kind::whiten);
      }),
      HasSubstr("row 1 (from 0) is not finite"));
}

TEST(Normalisation, FallsBackWhereWhiteningWouldOverfit) {
  EXPECT_EQ(Normalisation::fit(correlated(6), Kind::whiten).kind(), Kind::standardise);
  EXPECT_EQ(Normalisation::fit(correlated(7), Kind::whiten).kind(), Kind::whiten);
  EXPECT_EQ(Normalisation::fit(at::rand({600, 257}), Kind::whiten).kind(), Kind::standardise);
  EXPECT_EQ(Normalisation::fit(at::ones({1, 2}), Kind::whiten).kind(), Kind::standardise);
}

TEST(Normalisation, WorksInBlocks) {
  // More values than one block holds, in a column order that a mistake of offsets would show.
  const Tensor x = at::arange(3'000'000, at::kDouble).reshape({-1, 2});
  const Normalisation map = Normalisation::fit(x, Kind::standardise);
  EXPECT_NEAR(map.to_json()["shift"][1].get<double>(), 1'500'000.0, 1e-6);
  // Variance of 0, 2, ..., 2 (n - 1): 4 (n^2 - 1) / 12.
  EXPECT_NEAR(map.to_json()["scale"][0].get<double>(), std::sqrt((1.5e6 * 1.5e6 - 1) / 3), 1e-6);
  EXPECT_LT(largest(map.invert(map.apply(x, at::kDouble)) - x), 1e-8);
}

TEST(Normalisation, MapsPixelLevels) {
  const Normalisation map = Normalisation::pixels({1, 2, 2}, at::kByte);
  const Tensor levels = at::tensor({0, 51, 204, 255}, at::kByte).reshape({1, 1, 2, 2});
  const Tensor z = map.apply(levels);
  EXPECT_LT(largest(z.flatten() - at::tensor({-1.0f, -0.6f, 0.6f, 1.0f}, at::kFloat)), 1e-7);
  EXPECT_TRUE(map.invert(z).equal(z));
  EXPECT_EQ(map.invert(z).scalar_type(), at::kFloat);
  EXPECT_TRUE(map.apply(z).equal(z)) << "floats are in [-1, 1] already";
  EXPECT_DOUBLE_EQ(map.log_abs_det(), -4 * std::log(127.5));
  EXPECT_LT(largest(map.pullback_score(z) - z / 127.5), 1e-9);
  const Normalisation floats = Normalisation::pixels({1, 2, 2}, at::kFloat);
  EXPECT_EQ(floats.log_abs_det(), 0);
  EXPECT_TRUE(floats.apply(z).equal(z));
  EXPECT_TRUE(floats.pullback_score(z).equal(z));
  // The units are those of the data at hand, not of the data that it was made for.
  EXPECT_DOUBLE_EQ(floats.of_type(at::kByte).log_abs_det(), -4 * std::log(127.5));
  EXPECT_LT(largest(floats.of_type(at::kByte).pullback_score(z) - z / 127.5), 1e-9);
  EXPECT_EQ(map.of_type(at::kFloat).log_abs_det(), 0);
  EXPECT_EQ(map.of_type(at::kFloat).units(), "[-1, 1]");
  EXPECT_EQ(floats.of_type(at::kByte).units(), "8-bit levels");
  const Normalisation table = Normalisation::fit(correlated(50), Kind::whiten);
  EXPECT_EQ(table.of_type(at::kByte).log_abs_det(), table.log_abs_det());
}

TEST(Normalisation, RoundTripsThroughTextExactly) {
  const Tensor x = correlated(300);
  std::vector<Normalisation> maps = {Normalisation::fit(x, Kind::identity),
                                     Normalisation::fit(x, Kind::standardise),
                                     Normalisation::fit(x, Kind::whiten)};
  for (const Normalisation& map : maps) {
    const Normalisation back = Normalisation::from_json(Json::parse(map.to_json().dump()));
    EXPECT_TRUE(back.apply(x, at::kDouble).equal(map.apply(x, at::kDouble))) << to_string(map.kind());
    EXPECT_EQ(back.log_abs_det(), map.log_abs_det());
    EXPECT_EQ(back.kind(), map.kind());
    EXPECT_EQ(back.event_shape(), map.event_shape());
  }
  const Normalisation pixels =
      Normalisation::from_json(Normalisation::pixels({1, 4, 4}, at::kByte).to_json());
  EXPECT_DOUBLE_EQ(pixels.log_abs_det(), -16 * std::log(127.5));
}

TEST(Normalisation, RefusesByName) {
  const auto refusal = [](const char* text) {
    return error_of([&] { Normalisation::from_json(Json::parse(text)); });
  };
  EXPECT_THAT(refusal("[]"), HasSubstr("expected a member 'kind'"));
  EXPECT_THAT(refusal(R"({"kind": 3})"), HasSubstr("expected \"kind\" to be a string but received 3"));
  EXPECT_THAT(refusal(R"({"kind": "log"})"), HasSubstr("standardise or whiten but found 'log'"));
  EXPECT_THAT(refusal(R"({"kind": "identity", "event_shape": [0]})"), HasSubstr("positive sizes"));
  EXPECT_THAT(refusal(R"({"kind": "identity", "event_shape": [4294967296, 4294967296]})"),
              HasSubstr("positive"));
  EXPECT_THAT(refusal(R"({"kind": "pixels", "event_shape": [2], "levels": true})"),
              HasSubstr("expected images"));
  EXPECT_THAT(refusal(R"({"kind": "standardise", "event_shape": [2], "shift": [1], "scale": [1, 1]})"),
              HasSubstr("shift: expected 2 numbers"));
  EXPECT_THAT(refusal(R"({"kind": "standardise", "event_shape": [2], "shift": [1, null], "scale": [1, 1]})"),
              HasSubstr("shift: expected a finite number at place 1"));
  EXPECT_THAT(refusal(R"({"kind": "standardise", "event_shape": [1], "shift": [1], "scale": [0]})"),
              HasSubstr("scale: expected positive numbers"));
  EXPECT_THAT(refusal(R"({"kind": "whiten", "event_shape": [2], "shift": [1, 1], "scale": [1, 1],
                          "rotation": [[1, 0], [1, 1]], "spread": [1, 1]})"),
              HasSubstr("orthogonal"));
  const Normalisation map = Normalisation::identity({3});
  EXPECT_THAT(
      error_of(
          [&] {
            map.apply(at::ones({2, 2}));
          },
          ErrorKind::argument),
      HasSubstr("Normalisation::apply: expected (n, ...) with events of shape (3) but received (2, 2)"));
  EXPECT_THAT(error_of([] { parse_normalisation_kind("zca"); }, ErrorKind::argument),
              HasSubstr("received 'zca'"));
  EXPECT_THAT(error_of(
                  [] {
                    Normalisation::fit(at::ones({2, 2}), Kind::pixels);
                  },
                  ErrorKind::argument),
              HasSubstr("use Normalisation::pixels"));
  EXPECT_EQ(map.apply(at::ones({0, 3})).size(0), 0);
}

}  // namespace
}  // namespace fokker
