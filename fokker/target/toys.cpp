#include "fokker/target/toys.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/target/registry.h"

namespace fokker {
namespace {

TargetRegistry& targets() {
  static TargetRegistry registry("target", [] {
    std::vector<TargetRegistry::Entry> all = mixture_targets();
    for (const auto& group : {shape_targets(), energy_targets()})
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }());
  return registry;
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
  return targets().names();
}

std::vector<Description> target_descriptions() {
  return targets().descriptions();
}

void register_target(const std::string& name, std::function<std::unique_ptr<Distribution>(Spec&)> make,
                     const std::string& summary) {
  detail::check_entry("target", name, static_cast<bool>(make), name == "data");
  targets().add({name, summary, std::move(make)});
}

std::unique_ptr<Distribution> make_target(const std::string& spec, const RowLoader& load_rows) try {
  if (spec.rfind("data:", 0) == 0) return empirical_target(spec.substr(5), load_rows);
  const std::string name = spec.substr(0, spec.find(':'));
  if (targets().contains(name)) return targets().make(spec);
  std::error_code ignored;
  if (ends_with(spec, ".json") || std::filesystem::is_regular_file(spec, ignored))
    return std::make_unique<GaussianMixture>(read_gaussian_mixture(spec));
  fail(ErrorKind::argument,
       "unknown target '{}'; valid: {}, a .json file of a Gaussian mixture, or data:FILE", name,
       join(target_names()));
} catch (...) {
  detail::throw_as_error();
}

const GaussianMixture* as_gaussian_mixture(const Distribution& distribution) {
  return dynamic_cast<const GaussianMixture*>(&distribution);
}

}  // namespace fokker
