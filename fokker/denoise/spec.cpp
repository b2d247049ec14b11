#include "fokker/denoise/spec.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"

namespace fokker {
namespace {

TimeInput read_time_input(const detail::JsonReader& reader, const std::string& file) {
  const auto kind = reader.get<std::string>("kind");
  check_input(kind == "time" || kind == "quarter_log_sigma", "{}: unknown time input '{}'", file, kind);
  return {kind == "time" ? TimeInput::Kind::time : TimeInput::Kind::quarter_log_sigma,
          reader.get<double>("scale"), reader.get<double>("offset")};
}

}  // namespace

Tensor network_time(const TimeInput& input, const GaussianProcess& process, const Times& t, const Tensor& x) {
  const auto at_time = [&](double u) {
    if (input.kind == TimeInput::Kind::quarter_log_sigma) return -0.125 * process.log_snr(u);
    return input.scale * u + input.offset;
  };
  return t.is_scalar() ? at::full({1}, at_time(t.scalar()), x.options())
                       : t.map(at_time, x).reshape({x.size(0)});
}

Tensor input_scale(const DenoiserSpec& spec, const Tensor& x, const Times& t) {
  return t.map(
      [&](double u) {
        const double a = spec.process.alpha(u) * spec.sigma_data, s = spec.process.sigma(u);
        return 1.0 / std::sqrt(a * a + s * s);
      },
      x);
}

DenoiserSpec DenoiserSpec::of_energy(GaussianProcess process, double sigma_data) {
  return {.process = std::move(process),
          .prediction = Prediction::edm(sigma_data),
          .sigma_data = sigma_data,
          .kind = Kind::energy};
}

Prediction DenoiserSpec::native() const {
  return is_energy() ? Prediction::edm(sigma_data) : prediction;
}

std::string DenoiserSpec::name() const {
  return is_energy() ? "energy" : prediction.name();
}

Json DenoiserSpec::to_json() const {
  const bool by_time = time_input.kind == TimeInput::Kind::time;
  return {{"process", schedule_config(process.schedule())},
          {"prediction", {{"name", name()}, {"sigma_data", native().sigma_data()}}},
          {"time_input",
           {{"kind", by_time ? "time" : "quarter_log_sigma"},
            {"scale", time_input.scale},
            {"offset", time_input.offset}}},
          {"scale_input", scale_input},
          {"sigma_data", sigma_data}};
}

DenoiserSpec DenoiserSpec::from_json(const Json& json, const std::string& file) {
  const detail::JsonReader reader(json, file), prediction = reader.at("prediction");
  const auto name = prediction.get<std::string>("name");
  const bool energy = name == "energy";
  DenoiserSpec spec{
      .process = schedule_from_config(reader.at("process").json()),
      .prediction = Prediction::from_name(energy ? "edm" : name, prediction.get<double>("sigma_data")),
      .time_input = read_time_input(reader.at("time_input"), file),
      .scale_input = reader.get<bool>("scale_input"),
      .sigma_data = reader.get<double>("sigma_data"),
      .kind = energy ? Kind::energy : Kind::prediction};
  try {
    check_spec(spec);
  } catch (const Error& error) {
    fail(ErrorKind::input, "{}: {}", file, error.what());
  }
  return spec;
}

void check_spec(const DenoiserSpec& spec) {
  check(spec.sigma_data > 0, "denoiser: expected sigma_data > 0 but received {}", spec.sigma_data);
  check(spec.native().kind() != Prediction::Kind::edm || spec.native().sigma_data() == spec.sigma_data,
        "denoiser: expected one sigma_data but the prediction's is {} and the input's {}",
        spec.native().sigma_data(), spec.sigma_data);
}

std::vector<std::string> denoiser_names() {
  std::vector<std::string> names = Prediction::names();
  names.emplace_back("energy");
  return names;
}

}  // namespace fokker
