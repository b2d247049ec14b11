#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/evaluate/convergence.h"

namespace fokker {
namespace {

const std::vector<std::pair<ErrorMeasure, const char*>>& measures() {
  static const std::vector<std::pair<ErrorMeasure, const char*>> table = {
      {ErrorMeasure::path, "path"},
      {ErrorMeasure::strong, "strong"},
      {ErrorMeasure::mean, "mean"},
      {ErrorMeasure::covariance, "covariance"},
      {ErrorMeasure::wasserstein, "wasserstein"},
      {ErrorMeasure::weights, "weights"}};
  return table;
}

}  // namespace

std::vector<std::string> error_measure_names() {
  std::vector<std::string> names;
  for (const auto& [measure, name] : measures()) names.emplace_back(name);
  return names;
}

ErrorMeasure error_measure_from(std::string_view name) {
  for (const auto& [measure, known] : measures())
    if (name == known) return measure;
  fail(ErrorKind::argument, "unknown error measure '{}'; valid names: {}", name, join(error_measure_names()));
}

double Convergence::order() const {
  check(levels.size() >= 2, "Convergence: expected at least two numbers of steps but received {}",
        levels.size());
  const Level &last = levels.back(), &before = levels[levels.size() - 2];
  return std::log(before.error / last.error) /
         std::log(static_cast<double>(last.steps) / static_cast<double>(before.steps));
}

std::optional<double> Convergence::order_above(double smallest) const {
  Convergence kept;
  for (const Level& level : levels)
    if (level.error > smallest && std::isfinite(level.error)) kept.levels.push_back(level);
  return kept.levels.size() < 2 ? std::nullopt : std::optional(kept.order());
}

}  // namespace fokker
