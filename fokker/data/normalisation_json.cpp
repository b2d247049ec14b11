#include <array>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/data/normalisation.h"

namespace fokker {
namespace {

constexpr std::array<std::string_view, 4> kind_names = {"identity", "pixels", "standardise", "whiten"};

Json to_array(const Tensor& values) {
  Json array = Json::array();
  for (int64_t i = 0; i < values.size(0); ++i)
    array.push_back(values.dim() == 1 ? Json(values[i].item<double>()) : to_array(values[i]));
  return array;
}

/// (count) finite numbers.
Tensor read_vector(const Json& array, const char* key, int64_t count) {
  check_input(array.is_array() && static_cast<int64_t>(array.size()) == count,
              "normalisation: {}: expected {} numbers", key, count);
  Tensor values = at::empty({count}, at::kDouble);
  for (int64_t i = 0; i < count; ++i) {
    const Json& number = array[static_cast<size_t>(i)];
    check_input(number.is_number() && std::isfinite(number.get<double>()),
                "normalisation: {}: expected a finite number at place {}", key, i);
    values.data_ptr<double>()[i] = number.get<double>();
  }
  return values;
}

Tensor read_positive(const Json& array, const char* key, int64_t count) {
  const Tensor values = read_vector(array, key, count);
  check_input(values.gt(0).all().item<bool>(), "normalisation: {}: expected positive numbers", key);
  return values;
}

/// A matrix V whose transpose is its inverse: that is what makes the map invertible as written.
Tensor read_rotation(const Json& array, int64_t count) {
  check_input(array.is_array() && static_cast<int64_t>(array.size()) == count,
              "normalisation: rotation: expected {} rows", count);
  std::vector<Tensor> rows;
  for (const Json& row : array) rows.push_back(read_vector(row, "rotation", count));
  const Tensor rotation = at::stack(rows);
  const double error = (rotation.t().mm(rotation) - at::eye(count, at::kDouble)).abs().max().item<double>();
  check_input(error < 1e-9, "normalisation: rotation: expected an orthogonal matrix");
  return rotation;
}

std::vector<int64_t> read_shape(const Json& array) {
  check_input(array.is_array() && array.size() <= 8, "normalisation: event_shape: expected a list of sizes");
  std::vector<int64_t> shape;
  int64_t total = 1;
  for (const Json& size : array) {
    check_input(size.is_number_integer() && size.get<int64_t>() > 0 &&
                    !__builtin_mul_overflow(total, size.get<int64_t>(), &total),
                "normalisation: event_shape: expected positive sizes");
    shape.push_back(size.get<int64_t>());
  }
  return shape;
}

}  // namespace

std::string_view to_string(NormalisationKind kind) {
  return kind_names[static_cast<size_t>(kind)];
}

NormalisationKind parse_normalisation_kind(std::string_view name) {
  const auto found = std::find(kind_names.begin(), kind_names.end(), name);
  check(found != kind_names.end(),
        "normalisation: expected identity, pixels, standardise or whiten but received '{}'", name);
  return static_cast<NormalisationKind>(found - kind_names.begin());
}

Json Normalisation::to_json() const {
  Json json = {{"kind", to_string(kind_)}, {"event_shape", event_shape_}};
  if (kind_ == NormalisationKind::pixels) json["levels"] = levels_;
  if (shift_.defined()) {
    json["shift"] = to_array(shift_);
    json["scale"] = to_array(scale_);
  }
  if (rotation_.defined()) {
    json["rotation"] = to_array(rotation_);
    json["spread"] = to_array(spread_);
  }
  return json;
}

Normalisation Normalisation::from_json(const Json& json) try {
  const detail::JsonReader reader(json, "normalisation");
  const auto member = [&](const char* key) -> const Json& { return reader.at(key).json(); };
  const auto name = reader.get<std::string>("kind");
  check_input(std::count(kind_names.begin(), kind_names.end(), name) == 1,
              "normalisation: kind: expected identity, pixels, standardise or whiten but found '{}'", name);
  const NormalisationKind kind = parse_normalisation_kind(name);
  Normalisation result(kind, read_shape(member("event_shape")));
  if (kind == NormalisationKind::pixels) {
    check_input(result.is_images(), "normalisation: pixels: expected images");
    result.levels_ = reader.get<bool>("levels");
  }
  const int64_t d = result.dimension();
  if (kind == NormalisationKind::standardise || kind == NormalisationKind::whiten) {
    result.shift_ = read_vector(member("shift"), "shift", d);
    result.scale_ = read_positive(member("scale"), "scale", d);
  }
  if (kind == NormalisationKind::whiten) {
    result.rotation_ = read_rotation(member("rotation"), d);
    result.spread_ = read_positive(member("spread"), "spread", d);
  }
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
