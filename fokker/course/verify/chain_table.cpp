#include "fokker/course/verify/chain_table.h"

#include <cmath>
#include <numbers>

#include "fokker/sample/method/ancestral/ancestral.h"

namespace fokker::verify {

ChainTable::ChainTable(std::vector<double> beta, GaussianProcess process)
    : beta_(std::move(beta)), alphabar_{1.0}, process_(std::move(process)) {
  for (const double b : beta_) alphabar_.push_back(alphabar_.back() * (1 - b));
}

ChainTable ChainTable::linear(int64_t steps, double first, double last) {
  std::vector<double> beta;
  for (int64_t i = 0; i < steps; ++i)
    beta.push_back(std::lerp(first, last, static_cast<double>(i) / static_cast<double>(steps - 1)));
  return ChainTable(beta);
}

ChainTable ChainTable::constant(int64_t steps, double beta) {
  const double total = -std::log(1 - beta) * static_cast<double>(steps);
  return {std::vector<double>(static_cast<size_t>(steps), beta), ConstantBeta{.beta = total}};
}

ChainTable ChainTable::cosine(int64_t steps) {
  const Cosine options;
  const auto alpha = [&](int64_t i) {
    const double t = options.time_scale * static_cast<double>(i) / static_cast<double>(steps);
    return std::cos(0.5 * std::numbers::pi * (t + options.offset) / (1 + options.offset));
  };
  std::vector<double> beta;
  for (int64_t i = 1; i <= steps; ++i) beta.push_back(1 - std::pow(alpha(i) / alpha(i - 1), 2));
  return {beta, options};
}

double ChainTable::sigma(int64_t i) const {
  return std::sqrt(1 - alphabar(i));
}

double ChainTable::beta_tilde(int64_t i) const {
  return (1 - alphabar(i - 1)) / (1 - alphabar(i)) * beta(i);
}

double ChainTable::noise_weight(int64_t i) const {
  return beta(i) / (2 * (1 - beta(i)) * (1 - alphabar(i)));
}

course::Setting table_setting(const ChainTable& chain, std::string usual, int64_t most_steps) {
  const auto betas = [chain] {
    course::Betas all;
    all.reserve(static_cast<size_t>(chain.steps()));
    for (int64_t i = 1; i <= chain.steps(); ++i) all.push_back(chain.beta(i));
    return all;
  };
  return course::Setting::betas(betas, std::move(usual), most_steps);
}

ChainTable chosen_chain(const course::Settings& settings, const ChainTable& usual) {
  return settings.changed("table") ? ChainTable(settings.betas()) : usual;
}

void walk(const ChainTable& chain, Tensor x, const Rng& rng, const ChainVisitor& visit,
          const WalkOptions& options) {
  visit(0, x);
  for (int64_t i = 1; i <= chain.steps(); ++i) {
    const TransitionCoefficients q = chain.process().transition(chain.time(i - 1), chain.time(i));
    const double deviation = options.deviation ? options.deviation(q.variance) : std::sqrt(q.variance);
    x = q.scale * x + deviation * rng.normal(x.sizes(), {.step = static_cast<uint64_t>(i)}, at::kDouble);
    visit(i, x);
  }
}

Tensor reverse_mean(const Denoiser& denoiser, const Tensor& x, double t, double s) {
  std::any history;
  StepContext context{
      .t = t, .s = s, .noise = [&](uint32_t) { return at::zeros_like(x); }, .history = history};
  return Ancestral().step(denoiser, x, context).x;
}

}  // namespace fokker::verify
