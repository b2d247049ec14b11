#include "fokker/target/toys.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/target/registry.h"

namespace fokker {
namespace {

std::vector<TargetEntry> entries() {
  std::vector<TargetEntry> all = mixture_targets();
  for (const auto& group : {shape_targets(), energy_targets()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::unique_ptr<Distribution> empirical_target(const std::string& path, const RowLoader& load_rows) {
  check(!path.empty(), "target data: expected data:FILE but received no file name");
  check(static_cast<bool>(load_rows), "target data:{}: expected a function that loads rows but received none",
        path);
  const Tensor points = load_rows(path);
  check_input(points.defined() && points.dim() >= 1 && points.numel() > 0,
              "{}: expected at least one row of data", path);
  check_input(at::isfinite(points).all().item<bool>(), "{}: expected finite numbers but some are nan or inf",
              path);
  return std::make_unique<GaussianMixture>(GaussianMixture::empirical(points));
}

}  // namespace

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const auto& entry : entries()) names.push_back(entry.name);
  return names;
}

std::vector<TargetDescription> target_descriptions() {
  std::vector<TargetDescription> result;
  for (const auto& entry : entries()) {
    std::string parameters;
    for (const auto& item : entry.defaults)
      parameters += fmt::format("{}{}={}", parameters.empty() ? "" : ", ", item.key, item.value);
    result.push_back({entry.name, entry.summary, parameters});
  }
  return result;
}

std::unique_ptr<Distribution> make_target(const std::string& spec, const RowLoader& load_rows) try {
  if (spec.rfind("data:", 0) == 0) return empirical_target(spec.substr(5), load_rows);
  const auto colon = spec.find(':');
  const std::string name = spec.substr(0, colon);
  for (const auto& entry : entries())
    if (entry.name == name)
      return entry.make(
          TargetParameters(name, colon == std::string::npos ? "" : spec.substr(colon + 1), entry.defaults));
  std::error_code ignored;
  if (ends_with(spec, ".json") || std::filesystem::is_regular_file(spec, ignored))
    return std::make_unique<GaussianMixture>(read_gaussian_mixture(spec));
  fail(ErrorKind::argument,
       "unknown target '{}'; valid: {}, a .json file of a Gaussian mixture, or data:FILE", name,
       fmt::join(target_names(), ", "));
} catch (...) {
  detail::throw_as_error();
}

const GaussianMixture* as_gaussian_mixture(const Distribution& distribution) {
  return dynamic_cast<const GaussianMixture*>(&distribution);
}

}  // namespace fokker
