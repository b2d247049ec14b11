// A Gaussian mixture from a JSON file.
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/target/toys.h"

namespace fokker {
namespace {

/// A value of the file together with the words that locate it: "mix.json: means[2]".
struct Field {
  const Json& value;
  std::string place;

  Field at(size_t index) const { return {value.at(index), fmt::format("{}[{}]", place, index)}; }
  std::string received() const {
    const std::string text = json_text(value);
    return text.size() <= 40 ? text : text.substr(0, 37) + "...";
  }
};

double number(const Field& field) {
  check_input(field.value.is_number(), "{}: expected a number but received {}", field.place,
              field.received());
  const auto value = field.value.get<double>();
  check_input(std::isfinite(value), "{}: expected a finite number but received {}", field.place, value);
  return value;
}

/// A list of numbers; `count` 0 accepts any length but none.
Tensor numbers(const Field& field, size_t count) {
  check_input(field.value.is_array() && !field.value.empty(),
              "{}: expected a list of numbers but received {}", field.place, field.received());
  check_input(count == 0 || field.value.size() == count, "{}: expected {} numbers but received {}",
              field.place, count, field.value.size());
  std::vector<double> values;
  for (size_t i = 0; i < field.value.size(); ++i) values.push_back(number(field.at(i)));
  return at::tensor(values, at::kDouble);
}

Tensor matrix(const Field& field, size_t rows, size_t columns) {
  check_input(field.value.is_array() && field.value.size() == rows, "{}: expected {} rows but received {}",
              field.place, rows,
              field.value.is_array() ? std::to_string(field.value.size()) : field.received());
  std::vector<Tensor> result;
  for (size_t i = 0; i < rows; ++i) result.push_back(numbers(field.at(i), columns));
  return at::stack(result);
}

/// A number, a diagonal or a matrix, as a matrix (d, d).
Tensor covariance(const Field& field, size_t d) {
  const auto size = static_cast<int64_t>(d);
  if (field.value.is_number()) return at::eye(size, at::kDouble) * number(field);
  check_input(field.value.is_array() && !field.value.empty(),
              "{}: expected a number, a diagonal or a matrix but received {}", field.place, field.received());
  if (!field.value.at(0).is_array()) return numbers(field, d).diag();
  const Tensor full = matrix(field, d, d);
  const double scale = full.abs().max().item<double>();
  for (int64_t i = 0; i < size; ++i)
    for (int64_t j = 0; j < i; ++j) {
      const double lower = full[i][j].item<double>(), upper = full[j][i].item<double>();
      check_input(std::abs(lower - upper) <= 1e-9 * scale,
                  "{}: expected a symmetric matrix but entry ({}, {}) is {} and ({}, {}) is {}", field.place,
                  j, i, upper, i, j, lower);
    }
  return full;
}

void check_keys(const Json& json, const std::string& path) {
  check_input(json.is_object(), "{}: expected a JSON object", path);
  const std::vector<std::string> keys = {"type", "weights", "means", "covariances"};
  for (const auto& key : keys)
    check_input(json.contains(key), "{}: {}: expected this key but it is missing", path, key);
  for (const auto& item : json.items())
    check_input(std::find(keys.begin(), keys.end(), item.key()) != keys.end(),
                "{}: {}: unknown key; valid: {}", path, item.key(), fmt::join(keys, ", "));
  check_input(json.at("type") == "gaussian_mixture",
              "{}: type: expected \"gaussian_mixture\" but received {}", path, json_text(json.at("type")));
}

Json parsed(const std::string& path) {
  try {
    return read_json(path);
  } catch (const Json::exception& e) {  // a number too large for a double
    fail(ErrorKind::input, "{}: not valid JSON: {}", path, e.what());
  }
}

}  // namespace

GaussianMixture read_gaussian_mixture(const std::string& path) try {
  const Json json = parsed(path);
  check_keys(json, path);
  const auto field = [&](const char* key) { return Field{json.at(key), path + ": " + key}; };
  const Tensor weights = numbers(field("weights"), 0);
  for (int64_t k = 0; k < weights.size(0); ++k)
    check_input(weights[k].item<double>() > 0, "{}: weights[{}]: expected a number > 0 but received {}", path,
                k, weights[k].item<double>());
  const auto components = static_cast<size_t>(weights.size(0));
  const Field means_field = field("means");
  check_input(
      means_field.value.is_array() && means_field.value.size() == components,
      "{}: means: expected {} lists, one per weight, but received {}", path, components,
      means_field.value.is_array() ? std::to_string(means_field.value.size()) : means_field.received());
  const Tensor first = numbers(means_field.at(0), 0);
  const auto dimension = static_cast<size_t>(first.size(0));
  const Tensor means = matrix(means_field, components, dimension);
  const Field covariance_field = field("covariances");
  check_input(covariance_field.value.is_array() && covariance_field.value.size() == components,
              "{}: covariances: expected {} entries, one per weight, but received {}", path, components,
              covariance_field.received());
  std::vector<Tensor> covariances;
  for (size_t k = 0; k < components; ++k)
    covariances.push_back(covariance(covariance_field.at(k), dimension));
  try {
    return {weights, means, at::stack(covariances)};
  } catch (const Error& error) {
    fail(ErrorKind::input, "{}: {}", path, error.what());
  }
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
