#include "fokker/process/prior_fit.h"

#include "fokker/core/check.h"
#include "fokker/process/variance_preserving.h"

namespace fokker {
namespace {

constexpr int64_t most_rows = 4096, most_numbers = 1 << 22;
constexpr double good_ratio = 0.0501;  // a twentieth, but for rounding
constexpr int64_t short_chain = 100;   // more steps, rather than coarser ones

/// 1, 2, 5, 10, ... that are greater than `low`.
std::vector<double> round_numbers(double low, double high) {
  std::vector<double> numbers;
  double power = 1e-6;
  while (power <= high) {
    for (const double digit : {1.0, 2.0, 5.0})
      if (digit * power > low && digit * power <= high) numbers.push_back(digit * power);
    power *= 10;
  }
  return numbers;
}

/// "name:key=value" with the parameters of `config` that are given in `kept`, where they are not the usual.
std::string spec(const Json& config, const std::string& key, double value,
                 const std::vector<std::pair<std::string, double>>& kept = {}) {
  std::string text = fmt::format("{}:{}={:.6g}", config["type"].get<std::string>(), key, value);
  for (const auto& [name, usual] : kept)
    if (const double own = config[name].get<double>(); own != usual) text += fmt::format(",{}={}", name, own);
  return text;
}

std::vector<std::string> chain_candidates(const Json& config) {
  const auto betas = config["betas"].get<std::vector<double>>();
  const auto steps = static_cast<int64_t>(betas.size());
  const bool longer = steps < short_chain;
  const double first = longer ? 1e-4 : betas.front(), last = longer ? 0.0 : betas.back();
  std::vector<std::string> specs;
  for (const double beta : {0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 0.99}) {
    if (beta <= last) continue;
    std::string text = fmt::format("ddpm:steps={}", longer ? 1000 : steps);
    if (first != 1e-4) text += fmt::format(",beta_first={}", first);
    specs.push_back(beta == 0.02 ? text : text + fmt::format(",beta_last={}", beta));
  }
  return specs;
}

/// PROCESSes like this one that leave less and less of the data.
std::vector<std::string> candidates(const Json& config) {
  const auto type = config.value("type", std::string());
  std::vector<std::string> specs;
  const auto raise = [&](const char* key, const std::vector<std::pair<std::string, double>>& kept) {
    for (const double value : round_numbers(config[key].get<double>(), 1e9))
      specs.push_back(spec(config, key, value, kept));
  };
  if (type == "vp" || type == "sub-vp") raise("beta_max", {{"beta_min", 0.1}});
  if (type == "vp-constant") raise("beta", {});
  if (type == "ve") raise("sigma_max", {{"sigma_min", 0.01}});
  if (type == "edm") raise("sigma_max", {{"sigma_min", 0.002}, {"rho", 7.0}});
  if (type == "brownian") raise("sigma", {});
  if (type == "ddpm") return chain_candidates(config);
  if (type == "vp-cosine")
    for (const double scale : {0.99, 0.9946, 0.999, 0.9999, 0.99999})
      specs.push_back(spec(config, "time_scale", scale, {{"offset", 0.008}}));
  return specs;
}

}  // namespace

bool PriorFit::fits() const {
  return ratio() <= largest_ratio && scale <= 1.25 && scale >= 0.8;
}

std::string PriorFit::text() const {
  std::string found = fmt::format(
      "at t = {:.3g} the data is still {:.2g} beside noise of {:.2g} (alpha times the spread of the data, "
      "and "
      "sigma: a ratio of {:.2g}, where {} at most is expected)",
      time, signal, noise, ratio(), largest_ratio);
  if (scale > 1.25 || scale < 0.8)
    found += fmt::format(", and the prior of t = 1 is {:.2g} times as wide as x_t there", scale);
  return found;
}

Json PriorFit::to_json() const {
  return {{"signal", signal}, {"noise", noise}, {"ratio", ratio()}, {"time", time}, {"fits", fits()}};
}

double data_spread(const Tensor& x) {
  check(x.dim() >= 2 && x.numel() > 0, "data_spread: expected rows (n, event...) but received {}",
        shape_string(x));
  const GradientMode off(false);
  const int64_t n = x.size(0), d = x.numel() / n;
  const int64_t kept = std::min({n, most_rows, std::max<int64_t>(1, most_numbers / d)});
  const Tensor chosen =
      (at::arange(kept, at::kDouble) * (static_cast<double>(n) / static_cast<double>(kept))).to(at::kLong);
  Tensor rows = x.detach().cpu().index_select(0, chosen).flatten(1).to(at::kDouble);
  const double largest = rows.abs().max().item<double>();
  if (largest == 0) return 0;
  rows = rows / largest;  // squares of 1e200 are none
  Tensor direction = Rng(0).stream("data spread").normal({d}, {}, at::kDouble);
  double eigenvalue = 0;
  for (int i = 0; i < 50; ++i) {
    direction = direction / direction.norm();
    direction = rows.t().mv(rows.mv(direction)) / static_cast<double>(kept);
    const double found = direction.norm().item<double>();
    if (found <= eigenvalue * (1 + 1e-9)) break;  // grows towards the eigenvalue
    eigenvalue = found;
  }
  return largest * std::sqrt(eigenvalue);
}

PriorFit prior_fit(const GaussianProcess& process, double spread, double t) {
  const double alpha = process.alpha(t), sigma = process.sigma(t);
  return {.signal = alpha * std::max(spread, 1.0),
          .noise = sigma,
          .scale = std::sqrt(process.prior_variance()) / std::sqrt(alpha * alpha + sigma * sigma),
          .time = t};
}

std::string fitting_process(const GaussianProcess& process, double spread) {
  for (const std::string& text : candidates(process.schedule()->config()))
    if (prior_fit(GaussianProcess(make_schedule(text)), spread).ratio() <= good_ratio) return text;
  return "";
}

}  // namespace fokker
