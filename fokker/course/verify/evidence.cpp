#include "fokker/course/verify/evidence.h"

#include <cmath>
#include <limits>

#include "fokker/core/check.h"

namespace fokker::verify {
namespace {

constexpr double false_alarm = 1e-4;

/// How far the measurement lies on the wrong side of what is expected.
double excess(const Finding& f) {
  switch (f.relation) {
    case Relation::at_most:
      return f.measured - f.expected;
    case Relation::at_least:
      return f.expected - f.measured;
    case Relation::equal:
      break;
  }
  return std::abs(f.measured - f.expected);
}

/// Above 1: failed. What is not a number is as far off as can be.
double severity(const Finding& f) {
  const double distance = excess(f);
  if (std::isnan(distance)) return std::numeric_limits<double>::infinity();
  if (distance <= 0) return 0;
  return distance / f.tolerance;
}

Finding finding(std::string what, Relation relation, Statistic measured, double expected, double allowance) {
  return {.what = std::move(what),
          .relation = relation,
          .expected = expected,
          .measured = measured.value,
          .standard_error = measured.standard_error,
          .allowance = allowance};
}

}  // namespace

Finding moved(Finding finding, double by) {
  finding.expected += by;
  finding.passed = severity(finding) <= 1;
  return finding;
}

void Evidence::equal(std::string what, Statistic measured, double expected, double allowance) {
  findings_.push_back(finding(std::move(what), Relation::equal, measured, expected, allowance));
}

void Evidence::same_law(std::string what, double measured, double allowance) {
  findings_.push_back(finding(std::move(what), Relation::equal, {measured, 0}, 0, allowance));
  findings_.back().kolmogorov = true;
}

void Evidence::at_most(std::string what, Statistic measured, double bound, double allowance) {
  findings_.push_back(finding(std::move(what), Relation::at_most, measured, bound, allowance));
}

void Evidence::at_least(std::string what, Statistic measured, double bound, double allowance) {
  findings_.push_back(finding(std::move(what), Relation::at_least, measured, bound, allowance));
}

std::vector<Finding> Evidence::findings() const {
  check(!findings_.empty(), "verify: expected a check to compare something but it compared nothing");
  std::vector<Finding> all = findings_;
  const auto count = static_cast<int64_t>(all.size());
  const double share = false_alarm / static_cast<double>(count);
  const double quantile = normal_quantile(1 - 0.5 * share), critical = kolmogorov_critical(share);
  for (Finding& f : all) {
    f.comparisons = count;
    f.tolerance = f.allowance + (f.kolmogorov ? critical : quantile * f.standard_error);
    f.passed = severity(f) <= 1;
  }
  return all;
}

Finding Evidence::worst() const {
  const std::vector<Finding> all = findings();
  return *std::max_element(all.begin(), all.end(),
                           [](const Finding& a, const Finding& b) { return severity(a) < severity(b); });
}

}  // namespace fokker::verify
