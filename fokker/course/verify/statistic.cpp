#include "fokker/course/verify/statistic.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker::verify {
namespace {

void check_values(const Tensor& values) {
  check(values.dim() == 1 && values.size(0) > 1,
        "Statistic: expected more than one value, shape (n), but received {}",
        fmt::join(values.sizes(), " x "));
}

double fraction_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

}  // namespace

Statistic mean_of(const Tensor& values) {
  check_values(values);
  const Tensor v = values.to(at::kDouble);
  const auto n = static_cast<double>(v.size(0));
  return {v.mean().item<double>(), v.std(/*unbiased=*/true).item<double>() / std::sqrt(n)};
}

Statistic variance_of(const Tensor& values) {
  return covariance_of(values, values);
}

Statistic covariance_of(const Tensor& a, const Tensor& b) {
  check_values(a);
  const Tensor da = a.to(at::kDouble) - a.to(at::kDouble).mean(),
               db = b.to(at::kDouble) - b.to(at::kDouble).mean();
  const auto n = static_cast<double>(a.size(0));
  const Statistic product = mean_of(da * db);
  return {product.value * n / (n - 1), product.standard_error};
}

Statistic fraction_of(const Tensor& mask, double expected) {
  check_values(mask);
  const auto n = static_cast<double>(mask.size(0));
  return {mask.to(at::kDouble).mean().item<double>(), std::sqrt(expected * (1 - expected) / n)};
}

double kolmogorov_smirnov(const Tensor& values, const std::function<Tensor(const Tensor&)>& distribution) {
  check_values(values);
  const Tensor sorted = std::get<0>(values.to(at::kDouble).sort());
  const int64_t n = sorted.size(0);
  const Tensor below = at::arange(n, sorted.options()) / static_cast<double>(n);
  const Tensor expected = distribution(sorted);
  const Tensor gap =
      at::maximum((expected - below).abs(), (expected - below - 1.0 / static_cast<double>(n)).abs());
  return std::sqrt(static_cast<double>(n)) * gap.max().item<double>();
}

double kolmogorov_smirnov(const Tensor& x, const Tensor& y) {
  check_values(x);
  check_values(y);
  const Tensor xs = std::get<0>(x.to(at::kDouble).sort()), ys = std::get<0>(y.to(at::kDouble).sort());
  const auto n = static_cast<double>(xs.size(0)), m = static_cast<double>(ys.size(0));
  const Tensor all = at::cat({xs, ys});
  const auto fraction = [&](const Tensor& sorted, double count) {
    return at::searchsorted(sorted, all, /*out_int32=*/false, /*right=*/true).to(at::kDouble) / count;
  };
  return std::sqrt(n * m / (n + m)) * (fraction(xs, n) - fraction(ys, m)).abs().max().item<double>();
}

double kolmogorov_critical(double probability) {
  return std::sqrt(0.5 * std::log(2 / probability));
}

Tensor normal_distribution(const Tensor& x) {
  return 0.5 * at::erfc(-x.to(at::kDouble) / std::sqrt(2.0));
}

double normal_quantile(double probability) {
  check(probability > 0 && probability < 1,
        "normal_quantile: expected a probability in (0, 1) but received {}", probability);
  // By symmetry the lower tail alone, where erfc keeps its relative accuracy.
  if (probability > 0.5) return -normal_quantile(1 - probability);
  double low = -40, high = 0;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (fraction_below(middle) < probability ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace fokker::verify
