#include "fokker/format/diffusers/beta_schedule.h"

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"

namespace fokker {
namespace {

constexpr int64_t longest_chain = 1'000'000;

/// `steps` numbers evenly from first to last.
std::vector<double> even_numbers(double first, double last, int64_t steps) {
  std::vector<double> numbers;
  numbers.reserve(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i)
    numbers.push_back(
        std::lerp(first, last, steps > 1 ? static_cast<double>(i) / static_cast<double>(steps - 1) : 0.0));
  return numbers;
}

/// Nichol and Dhariwal (2021): what alphabar(t) = cos^2(pi/2 (t + s)/(1 + s)) loses in each step, at most
/// 0.999.
std::vector<double> cosine_betas(int64_t steps) {
  const auto alphabar = [&](int64_t i) {
    const double t = static_cast<double>(i) / static_cast<double>(steps);
    const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  std::vector<double> betas;
  betas.reserve(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) betas.push_back(std::min(1 - alphabar(i + 1) / alphabar(i), 0.999));
  return betas;
}

std::vector<double> named_betas(const std::string& name, int64_t steps, double start, double end,
                                const std::string& place) {
  if (name == "squaredcos_cap_v2") return cosine_betas(steps);
  const bool scaled = name == "scaled_linear", sigmoid = name == "sigmoid";
  check_input(
      scaled || sigmoid || name == "linear",
      "{}: expected \"beta_schedule\" to be linear, scaled_linear, squaredcos_cap_v2 or sigmoid but received "
      "\"{}\"",
      place, name);
  if (!scaled && !sigmoid) return even_numbers(start, end, steps);
  check_input(start >= 0 && end >= 0,
              "{}: expected beta_start and beta_end of at least 0 but received {} and {}", place, start, end);
  std::vector<double> betas =
      scaled ? even_numbers(std::sqrt(start), std::sqrt(end), steps) : even_numbers(-6, 6, steps);
  for (double& b : betas) b = scaled ? b * b : start + (end - start) / (1 + std::exp(-b));
  return betas;
}

/// Lin et al. (2024), Algorithm 1: sqrt(alphabar) moved and stretched so that it ends at 0 and begins as
/// before.
std::vector<double> with_zero_end(const std::vector<double>& betas, const std::string& place) {
  check_input(betas.size() > 1, "{}: rescale_betas_zero_snr: expected at least 2 steps but received {}",
              place, betas.size());
  std::vector<double> root;
  root.reserve(betas.size());
  double alphabar = 1;
  for (const double b : betas) root.push_back(std::sqrt(alphabar *= 1 - b));
  const double first = root.front(), last = root.back();
  double before = 1;
  std::vector<double> moved;
  moved.reserve(betas.size());
  for (const double r : root) {
    const double now = (r - last) * first / (first - last);
    moved.push_back(1 - (now / before) * (now / before));
    before = now;
  }
  moved.back() = 1;
  return moved;
}

}  // namespace

BetaTable read_beta_table(const Json& config, const std::string& place) {
  const detail::JsonReader reader(config, place);
  std::vector<double> betas;
  reader.read("trained_betas", betas);
  if (betas.empty()) {
    const auto steps = reader.get<int64_t>("num_train_timesteps");
    check_input(steps >= 1 && steps <= longest_chain,
                "{}: expected num_train_timesteps from 1 to {} but received {}", place, longest_chain, steps);
    betas = named_betas(reader.get<std::string>("beta_schedule"), steps, reader.get<double>("beta_start"),
                        reader.get<double>("beta_end"), place);
  }
  bool rescaled = false;
  reader.read("rescale_betas_zero_snr", rescaled);
  if (rescaled) betas = with_zero_end(betas, place);
  for (size_t i = 0; i < betas.size(); ++i)
    check_input(betas[i] > 0 && (betas[i] < 1 || (betas[i] == 1 && i + 1 == betas.size())),
                "{}: expected betas between 0 and 1 but number {} is {}", place, i, betas[i]);
  return {std::move(betas)};
}

}  // namespace fokker
