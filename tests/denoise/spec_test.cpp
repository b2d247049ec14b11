#include "fokker/denoise/spec.h"

#include "support.h"

namespace fokker {
namespace {

TEST(DenoiserSpec, IsWrittenAndReadBack) {
  const DenoiserSpec specs[] = {
      {.process = make_schedule("vp")},
      {.process = make_schedule("ddpm"),
       .prediction = Prediction::noise(),
       .time_input = {.scale = 1000, .offset = -1}},
      {.process = make_schedule("ve:sigma_max=20"),
       .prediction = Prediction::edm(0.5),
       .time_input = {.kind = TimeInput::Kind::quarter_log_sigma},
       .scale_input = true,
       .sigma_data = 0.5},
      // A prediction that has no sigma_data of its own is scaled by that of the data.
      {.process = make_schedule("vp"), .scale_input = true, .sigma_data = 3},
      DenoiserSpec::of_energy(make_schedule("flow"), 0.7)};
  for (const DenoiserSpec& spec : specs) {
    const Json json = spec.to_json();
    const DenoiserSpec back = DenoiserSpec::from_json(Json::parse(json.dump()));
    EXPECT_EQ(back.to_json(), json);
    EXPECT_EQ(back.name(), spec.name());
    EXPECT_EQ(back.kind, spec.kind);
    EXPECT_EQ(back.native().sigma_data(), spec.native().sigma_data());
  }
  EXPECT_EQ(specs[4].name(), "energy");
  EXPECT_EQ(specs[4].native().kind(), Prediction::Kind::edm);
}

TEST(DenoiserSpec, HasOneDeviationOfTheData) {
  const DenoiserSpec two{.process = make_schedule("ve"), .prediction = Prediction::edm(0.5)};
  expect_error([&] { check_spec(two); }, ErrorKind::argument, "one sigma_data but the prediction's is 0.5");
  expect_error([&] { DenoiserSpec::from_json(two.to_json(), "fokker.json"); }, ErrorKind::input,
               "fokker.json: denoiser: expected one sigma_data");
  expect_error([&] { check_spec(DenoiserSpec::of_energy(make_schedule("vp"), 0)); }, ErrorKind::argument,
               "sigma_data > 0");
}

TEST(DenoiserSpec, NamesWhatIsMissing) {
  Json json = DenoiserSpec{.process = make_schedule("vp")}.to_json();
  json["time_input"]["kind"] = "index";
  expect_error([&] { DenoiserSpec::from_json(json, "f.json"); }, ErrorKind::input,
               "f.json: unknown time input 'index'");
  json["time_input"].erase("kind");
  expect_error([&] { DenoiserSpec::from_json(json, "f.json"); }, ErrorKind::input,
               "f.json: time_input: expected a member 'kind'");
}

}  // namespace
}  // namespace fokker
