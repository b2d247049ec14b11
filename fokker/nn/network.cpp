#include "fokker/nn/network.h"

#include <c10/util/Type.h>

#include <algorithm>
#include <typeinfo>
#include <unordered_map>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Levenshtein distance: the fewest single-letter edits that turn one name into the other.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substituted}));
    }
  }
  return row[b.size()];
}

std::string nearest_names(const std::vector<NamedTensor>& parameters, std::string_view name) {
  std::vector<std::pair<size_t, std::string_view>> ranked;
  ranked.reserve(parameters.size());
  for (const auto& p : parameters) ranked.emplace_back(edit_distance(p.name, name), p.name);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(ranked.size(), 4); ++i)
    text += fmt::format("{}{}", i ? ", " : "", ranked[i].second);
  return text;
}

std::string type_name(const Network& network) {
  return c10::demangle(typeid(network).name());
}

}  // namespace

std::string Network::class_name() const {
  const Json json = config();
  const auto found = json.is_object() ? json.find("_class_name") : json.end();
  check(found != json.end() && found->is_string() && !found->get<std::string>().empty(),
        "{}: expected config() to name the network as \"_class_name\" but it returned {}", type_name(*this),
        json.dump());
  return found->get<std::string>();
}

std::unique_ptr<Network> Network::clone() const {
  const std::string name = class_name();
  const auto known = network_names();
  check(std::find(known.begin(), known.end(), name) != known.end(),
        "Network::clone: expected {} to override clone(), or \"{}\" to be registered (register_network), but "
        "found "
        "neither",
        type_name(*this), name);
  auto copy = make_network(config(), 0);
  const Network& made = *copy;
  check(typeid(made) == typeid(*this),
        "Network::clone: expected \"{}\" to be the registered name of {} but it makes {}: override clone()",
        name, type_name(*this), type_name(made));
  copy->copy_parameters(*this);
  return copy;
}

void Network::copy_parameters(const Network& from) {
  if (!from.parameters_.empty()) {
    const Tensor& first = from.parameters_.front().tensor;
    to(first.device(), first.scalar_type());
  }
  load(from.parameters_);
  set_bf16_products(from.bf16_products_);
  for (auto& p : parameters_) p.tensor.set_requires_grad(from.parameter(p.name).requires_grad());
}

const Tensor& Network::parameter(std::string_view name) const {
  for (const auto& p : parameters_)
    if (p.name == name) return p.tensor;
  fail(ErrorKind::argument, "Network: expected the name of a parameter, such as {}, but received \"{}\"",
       nearest_names(parameters_, name), name);
}

int64_t Network::parameter_count() const {
  int64_t count = 0;
  for (const auto& p : parameters_) count += p.tensor.numel();
  return count;
}

void Network::load(const std::vector<NamedTensor>& values) try {
  std::unordered_map<std::string_view, const Tensor*> by_name;
  for (const auto& value : values)
    check_input(by_name.emplace(value.name, &value.tensor).second,
                "Network::load: expected each tensor once but received \"{}\" twice", value.name);
  // Everything is checked before anything is written: a refused load changes nothing.
  for (const auto& p : parameters_) {
    const auto found = by_name.find(p.name);
    check_input(found != by_name.end(),
                "Network::load: expected a tensor \"{}\" of shape {} but received none of that name", p.name,
                shape_string(p.tensor));
    check_input(found->second->sizes() == p.tensor.sizes(),
                "Network::load: expected \"{}\" of shape {} but received {}", p.name, shape_string(p.tensor),
                shape_string(*found->second));
  }
  for (const auto& value : values)
    check_input(std::any_of(parameters_.begin(), parameters_.end(),
                            [&](const NamedTensor& p) { return p.name == value.name; }),
                "Network::load: expected no tensor \"{}\" (nearest: {}) but received one", value.name,
                nearest_names(parameters_, value.name));
  GradientMode off(false);
  for (auto& p : parameters_) p.tensor.copy_(*by_name.at(p.name));
} catch (...) {
  detail::throw_as_error();
}

void Network::to(at::Device device, at::ScalarType type) try {
  check(at::isFloatingType(type), "Network::to: expected a floating-point type but received {}",
        at::toString(type));
  // The layers share these tensors, so the contents are exchanged and not the handles.
  for (auto& p : parameters_) {
    p.tensor.mutable_grad() = Tensor();
    p.tensor.set_data(p.tensor.detach().to(device, type));
  }
} catch (...) {
  detail::throw_as_error();
}

void Network::set_requires_grad(bool requires_grad) {
  for (auto& p : parameters_) p.tensor.set_requires_grad(requires_grad);
}

Tensor Network::add_parameter(std::string name, Tensor value) {
  value.set_requires_grad(true);
  parameters_.push_back({std::move(name), std::move(value)});
  return parameters_.back().tensor;
}

}  // namespace fokker
