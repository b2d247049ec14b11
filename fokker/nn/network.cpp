#include "fokker/nn/network.h"

#include <algorithm>
#include <unordered_map>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"

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
  for (const auto& p : parameters) ranked.emplace_back(edit_distance(p.name, name), p.name);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(ranked.size(), 4); ++i)
    text += fmt::format("{}{}", i ? ", " : "", ranked[i].second);
  return text;
}

}  // namespace

std::unique_ptr<Network> Network::clone() const {
  auto copy = make_network(config(), 0);
  if (!parameters_.empty()) {
    const Tensor& first = parameters_.front().tensor;
    copy->to(first.device(), first.scalar_type());
  }
  copy->load(parameters_);
  copy->set_bf16_products(bf16_products_);
  for (size_t i = 0; i < parameters_.size(); ++i)
    copy->parameters_[i].tensor.set_requires_grad(parameters_[i].tensor.requires_grad());
  return copy;
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

void Network::load(const std::vector<NamedTensor>& values) {
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
}

void Network::to(at::Device device, at::ScalarType type) {
  check(at::isFloatingType(type), "Network::to: expected a floating-point type but received {}",
        at::toString(type));
  // The layers share these tensors, so the contents are exchanged and not the handles.
  for (auto& p : parameters_) {
    p.tensor.mutable_grad() = Tensor();
    p.tensor.set_data(p.tensor.detach().to(device, type));
  }
}

void Network::set_requires_grad(bool requires_grad) {
  for (auto& p : parameters_) p.tensor.set_requires_grad(requires_grad);
}

Tensor Network::add_parameter(std::string name, Tensor value) {
  value.set_requires_grad(true);
  parameters_.push_back({std::move(name), std::move(value)});
  return parameters_.back().tensor;
}

std::unique_ptr<Network> make_network(const Json& config, uint64_t seed) try {
  check_input(config.is_object(), "network configuration: expected a JSON object but received {}",
              config.type_name());
  const auto name = config.find("_class_name");
  check_input(name != config.end(),
              "network configuration: expected \"_class_name\" FokkerMlp or UNet2DModel but received none");
  try {
    if (*name == "FokkerMlp") return std::make_unique<Mlp>(MlpOptions::from_config(config), seed);
    if (*name == "UNet2DModel") return std::make_unique<UNet>(UNetOptions::from_config(config), seed);
  } catch (const Error& error) {
    // A configuration is read from outside, so a bad value in it is bad input.
    if (error.kind() == ErrorKind::argument) throw Error(ErrorKind::input, error.what());
    throw;
  }
  fail(ErrorKind::input,
       "network configuration: expected _class_name FokkerMlp or UNet2DModel but received {}", name->dump());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
