#include "fokker/plot/figure/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker::plot {
namespace {

// Magnitudes in [kSmallest, kLargest) are written out; others get a power of ten.
constexpr double kSmallest = 1e-3;
constexpr double kLargest = 1e6;
// Labels with more significant digits than this are written relative to an offset.
constexpr double kDigits = 5;

int exponent_of(double value) {
  // Rounded to 12 digits first, so that 999.9999999999999 counts as 1000.
  const std::string text = fmt::format("{:.12e}", std::abs(value));
  return std::stoi(text.substr(text.find('e') + 1));
}

std::string with_minus(std::string text) {
  if (!text.empty() && text[0] == '-') text.replace(0, 1, "−");
  return text;
}

std::string power_of_ten(int exponent) {
  return fmt::format("10^{{{}}}", with_minus(std::to_string(exponent)));
}

/// value = mantissa x 10^exponent, the mantissa already rounded and written.
std::string scientific(const std::string& mantissa, int exponent) {
  if (mantissa == "1") return power_of_ten(exponent);
  if (mantissa == "-1") return fmt::format("−{}", power_of_ten(exponent));
  return with_minus(mantissa) + "×" + power_of_ten(exponent);
}

struct NiceStep {
  int factor;  // 1, 2 or 5
  int exponent;
  double value() const { return multiple(1); }
  /// i x factor x 10^exponent, rounded once: 3 x 0.1 gives 0.3.
  double multiple(double i) const {
    const double power = std::pow(10.0, std::abs(exponent));
    return exponent >= 0 ? i * factor * power : i * factor / power;
  }
};

NiceStep find_step(double span, int intervals) {
  check(span > 0 && std::isfinite(span), "ticks: expected a positive finite span but received {}", span);
  check(intervals > 0, "ticks: expected at least 1 interval but received {}", intervals);
  const double least = span / intervals;
  const double tolerance = 1e-9;
  for (int exponent = std::clamp(exponent_of(least) - 1, -300, 300);; ++exponent)
    for (const int factor : {1, 2, 5})
      if (const NiceStep step{factor, exponent}; step.value() >= least * (1 - tolerance)) return step;
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

/// The power of ten with which numbers up to `top` are written; 0 where they are written out.
int common_exponent(double top) {
  return top == 0 || (top >= kSmallest && top < kLargest) ? 0 : exponent_of(top);
}

std::vector<std::string> format_all(const std::vector<double>& values, double step, bool factored) {
  const int exponent = common_exponent(largest(values));
  const int decimals = std::max(0, exponent - exponent_of(step));
  std::vector<std::string> labels;
  for (const double value : values) {
    const std::string mantissa = fmt::format("{:.{}f}", value / std::pow(10.0, exponent), decimals);
    if (value == 0)
      labels.emplace_back("0");
    else
      labels.push_back(exponent == 0 || factored ? with_minus(mantissa) : scientific(mantissa, exponent));
  }
  return labels;
}

std::string format_digits(double value, int digits) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= kSmallest && size < kLargest) return with_minus(fmt::format("{:.{}g}", value, digits));
  const int exponent = exponent_of(value);
  return scientific(fmt::format("{:.{}g}", value / std::pow(10.0, exponent), digits), exponent);
}

Ticks with_labels(std::vector<double> positions, double step, bool factored) {
  Ticks ticks{std::move(positions), {}, {}};
  if (ticks.positions.empty()) return ticks;
  const double top = largest(ticks.positions);
  if (top == 0 || std::log10(top / step) <= kDigits) {
    ticks.labels = format_all(ticks.positions, step, factored);
    if (const int exponent = common_exponent(top); factored && exponent != 0)
      ticks.common = fmt::format("×{}", power_of_ten(exponent));
    return ticks;
  }
  const double span = std::max(step, ticks.positions.back() - ticks.positions.front());
  const double unit = std::pow(10.0, exponent_of(span) + 1);
  const double offset = std::round(ticks.positions[ticks.positions.size() / 2] / unit) * unit;
  std::vector<double> rest;
  for (const double position : ticks.positions) rest.push_back(std::round((position - offset) / step) * step);
  ticks.labels = format_all(rest, step, false);
  ticks.common = fmt::format("{}{}", offset < 0 ? "" : "+", format_digits(offset, 15));
  return ticks;
}

std::vector<double> decade_multiples(Range limits, std::initializer_list<int> factors, int stride) {
  std::vector<double> positions;
  const int first = exponent_of(limits.low) - 1, last = exponent_of(limits.high) + 1;
  const double slack = 1e-12;
  for (int exponent = first; exponent <= last; ++exponent) {
    if (exponent % stride != 0) continue;
    for (const int factor : factors) {
      const double value = NiceStep{factor, exponent}.value();
      if (value >= limits.low * (1 - slack) && value <= limits.high * (1 + slack)) positions.push_back(value);
    }
  }
  return positions;
}

Ticks logarithmic_labels(const std::vector<double>& positions) {
  Ticks ticks{positions, {}, {}};
  const bool plain = positions.front() >= kSmallest && positions.back() < kLargest / 10;
  for (const double value : positions) {
    const int exponent = exponent_of(value);
    const std::string mantissa = fmt::format("{:.6g}", value / std::pow(10.0, exponent));
    ticks.labels.push_back(plain ? format_number(value) : scientific(mantissa, exponent));
  }
  return ticks;
}

}  // namespace

double nice_step(double span, int intervals) {
  return find_step(span, intervals).value();
}

Ticks linear_ticks(Range limits, int intervals, bool factored) {
  const NiceStep step = find_step(limits.span(), intervals);
  // A limit that is a multiple of the step but for rounding gets its tick.
  const double slack = 1e-9;
  const double first = std::ceil(limits.low / step.value() - slack);
  const double last = std::floor(limits.high / step.value() + slack);
  std::vector<double> positions;
  const int count = static_cast<int>(last - first) + 1;
  // Far from zero, neighbouring multiples may be the same double, and the last may lie outside.
  for (int i = 0; i < count; ++i) {
    const double position = step.multiple(first + i) + 0.0;
    if (position <= limits.high + 1e-6 * step.value() && (positions.empty() || position > positions.back()))
      positions.push_back(position);
  }
  return with_labels(std::move(positions), step.value(), factored);
}

Ticks logarithmic_ticks(Range limits, int intervals) {
  check(limits.low > 0, "ticks: expected positive limits on a logarithmic axis but received {}", limits.low);
  const auto fits = [&](const std::vector<double>& positions) {
    return positions.size() >= 2 && static_cast<int>(positions.size()) <= intervals + 1;
  };
  auto positions = decade_multiples(limits, {1}, 1);
  if (positions.size() < 3)
    if (const auto finer = decade_multiples(limits, {1, 2, 5}, 1); fits(finer))
      return logarithmic_labels(finer);
  for (int stride = 2; positions.size() >= 2 && !fits(positions); ++stride)
    positions = decade_multiples(limits, {1}, stride);
  if (fits(positions)) return logarithmic_labels(positions);
  return linear_ticks(limits, intervals);
}

std::string format_number(double value) {
  return format_digits(value, 6);
}

}  // namespace fokker::plot
