#include "fokker/format/torch/mlp_description.h"

#include <charconv>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

using Input = MlpDescription::Input;
using Time = MlpDescription::Time;

constexpr int64_t largest_size = 1 << 20;

std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

template <typename Number>
Number number_of(std::string_view text, const char* what, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size() && value >= least && value <= most,
        "mlp: {}: expected a number from {} to {} but received '{}'", what, least, most, shown(text));
  return value;
}

template <typename Value>
Value word_of(const std::string& text, const char* what,
              std::initializer_list<std::pair<const char*, Value>> all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const auto& [name, value] : all) {
    if (text == name) return value;
    names.emplace_back(name);
  }
  fail(ErrorKind::argument, "mlp: {}: expected one of {} but received '{}'", what, join(names), shown(text));
}

void read_option(MlpDescription& d, const std::string& part) {
  const size_t equals = part.find('=');
  check(equals != std::string::npos, "mlp: expected key=value after the activation but received '{}'",
        shown(part));
  const std::string key = part.substr(0, equals), value = part.substr(equals + 1);
  if (key == "input")
    d.input = word_of<Input>(value, "input",
                             {{"x+t", Input::x_time},
                              {"t+x", Input::time_x},
                              {"x", Input::x},
                              {"x+fourier", Input::x_fourier},
                              {"x+sinusoidal", Input::x_sinusoidal}});
  else if (key == "time")
    d.time = word_of<Time>(
        value, "time",
        {{"index", Time::index}, {"unit", Time::unit}, {"quarter-log-sigma", Time::quarter_log_sigma}});
  else if (key == "steps")
    d.steps = number_of<int64_t>(value, "steps", 1, largest_size);
  else if (key == "sigma-data")
    d.sigma_data = number_of<double>(value, "sigma-data", 1e-6, 1e6);
  else
    fail(ErrorKind::argument, "mlp: expected input, time, steps or sigma-data but received '{}'", shown(key));
}

void check_sizes(const MlpDescription& d) {
  const auto& sizes = d.sizes;
  check(sizes.size() >= 3,
        "mlp: expected sizes of an input, at least one hidden layer and an output but "
        "received {} sizes",
        sizes.size());
  for (size_t i = 2; i + 1 < sizes.size(); ++i)
    check(sizes[i] == sizes[1], "mlp: expected hidden layers of one width but received {} and {}", sizes[1],
          sizes[i]);
  const int64_t extra = sizes.front() - sizes.back();
  if (d.input == Input::x)
    check(extra == 0, "mlp: input=x: expected as many inputs as outputs but received {} and {}",
          sizes.front(), sizes.back());
  else if (d.input == Input::x_time || d.input == Input::time_x)
    check(extra == 1, "mlp: expected one input more than outputs, for the time, but received {} and {}",
          sizes.front(), sizes.back());
  else
    check(extra >= 1, "mlp: expected more inputs than outputs, for features of time, but received {} and {}",
          sizes.front(), sizes.back());
}

/// Steps of the chain whose index the network is told; 0 where the process has none.
int64_t steps_of(const MlpDescription& d, const GaussianProcess& process) {
  if (d.steps > 0) return d.steps;
  if (const int64_t steps = process.schedule()->chain_steps(); steps > 0) return steps;
  // The continuous form of the notebook's chain of 200 steps (ConstantBeta).
  const Json config = process.schedule()->config();
  return config.value("type", "") == "vp-constant" && config.value("beta", 0.0) == ConstantBeta{}.beta ? 200
                                                                                                       : 0;
}

TimeInput time_input(const MlpDescription& d, const GaussianProcess& process, bool edm, std::string& note) {
  const bool features = d.input == Input::x_fourier;
  Time time = d.time;
  if (time == Time::usual) {
    if (edm)
      time = Time::quarter_log_sigma;
    else
      time = steps_of(d, process) > 0 && !features ? Time::index : Time::unit;
  }
  const int64_t steps = steps_of(d, process);
  check(time != Time::index || steps > 0,
        "mlp: time=index: expected steps=N or a process that is a chain, as ddpm:steps=N is");
  const bool said = d.time != Time::usual || d.input == Input::x;
  if (time == Time::quarter_log_sigma) {
    if (!said) note = "the network is told log(sigma/alpha)/4 as its time";
    return {.kind = TimeInput::Kind::quarter_log_sigma};
  }
  if (time == Time::index) {
    if (!said) note = fmt::format("the network is told the steps 0..{} as its time", steps - 1);
    return {.scale = static_cast<double>(steps), .offset = -1};
  }
  if (!said)
    note = "the network is told t in [0, 1] as its time; time=index,steps=N would be a chain's steps";
  return {};
}

}  // namespace

MlpDescription MlpDescription::parse(std::string_view text) {
  const std::vector<std::string> parts = split_at(text, ',');
  MlpDescription d;
  for (const std::string& size : split_at(parts[0], '-'))
    d.sizes.push_back(number_of<int64_t>(size, "sizes such as 2-256-256-1", 1, largest_size));
  check(parts.size() >= 2,
        "mlp: expected an activation after the sizes, as in \"2-256-256-1,elu,input=x+t\"");
  d.activation = word_of<std::string>(parts[1], "activation",
                                      {{"silu", "silu"},
                                       {"elu", "elu"},
                                       {"relu", "relu"},
                                       {"gelu", "gelu"},
                                       {"tanh", "tanh"},
                                       {"softplus", "softplus"}});
  for (size_t i = 2; i < parts.size(); ++i) read_option(d, parts[i]);
  check_sizes(d);
  return d;
}

MlpOptions MlpDescription::options() const {
  const char* embedding = input == Input::x_fourier      ? "fourier"
                          : input == Input::x_sinusoidal ? "sinusoidal"
                                                         : "raw";
  return {.dimension = dimension(),
          .width = sizes[1],
          .depth = static_cast<int64_t>(sizes.size()) - 2,
          .activation = activation,
          .embedding = embedding,
          .embedding_size = std::max<int64_t>(1, sizes.front() - sizes.back()),
          .residual = false,
          .time_scale = 1,
          .zero_output = false};
}

DenoiserSpec MlpDescription::spec(const GaussianProcess& process, std::string_view predict,
                                  std::string& note) const {
  const bool edm = predict == "edm";
  DenoiserSpec spec{.process = process,
                    .prediction = Prediction::from_name(predict, edm ? sigma_data : 1.0),
                    .time_input = time_input(*this, process, edm, note),
                    .scale_input = edm,
                    .sigma_data = edm ? sigma_data : 1.0};
  check_spec(spec);
  return spec;
}

}  // namespace fokker
