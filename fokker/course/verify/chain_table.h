#pragma once
#include <vector>

#include "fokker/course/problem/settings.h"
#include "fokker/denoise/denoiser.h"

namespace fokker::verify {

/// beta_1..beta_N of a chain with alphabar_i = prod_{j <= i} (1 - beta_j) multiplied out, apart from the
/// library's schedules; and the library's process of that chain, in which step i is at t = i/N.
class ChainTable {
 public:
  ChainTable(std::vector<double> beta, GaussianProcess process);
  /// With the process of that very table.
  explicit ChainTable(const std::vector<double>& beta) : ChainTable(beta, BetaTable{beta}) {}

  /// Evenly spaced from first to last (Ho et al. 2020).
  static ChainTable linear(int64_t steps, double first, double last);
  /// The fixed update factor a = sqrt(1 - beta) of S3 section 1.1.1, as the library's continuous process.
  static ChainTable constant(int64_t steps, double beta);
  /// From the cosine alphabar (Nichol and Dhariwal 2021), as the library's continuous process.
  static ChainTable cosine(int64_t steps);
  /// S3's: 200 steps of beta = 0.04.
  static ChainTable notebook() { return constant(200, 0.04); }
  /// Five long steps, each of which counts: for statements about each term of a loss.
  static ChainTable short_chain() { return ChainTable({0.05, 0.1, 0.2, 0.4, 0.6}); }

  const GaussianProcess& process() const { return process_; }
  int64_t steps() const { return static_cast<int64_t>(beta_.size()); }
  double time(int64_t i) const { return static_cast<double>(i) / static_cast<double>(steps()); }
  /// i in 1..N.
  double beta(int64_t i) const { return beta_.at(static_cast<size_t>(i - 1)); }
  /// i in 0..N; alphabar(0) = 1.
  double alphabar(int64_t i) const { return alphabar_.at(static_cast<size_t>(i)); }
  /// Standard deviation of the noise in x_i given x_0: sqrt(1 - alphabar_i).
  double sigma(int64_t i) const;
  /// Variance of q(x_{i-1} | x_i, x_0): (1 - alphabar_{i-1}) / (1 - alphabar_i) beta_i.
  double beta_tilde(int64_t i) const;
  /// beta_i / (2 (1 - beta_i)(1 - alphabar_i)): the weight of |eps - eps_theta|^2 (S1 step 4).
  double noise_weight(int64_t i) const;

 private:
  std::vector<double> beta_, alphabar_;
  GaussianProcess process_;
};

/// The setting "table" of a check that uses `chain` unless a reader has another; and the chain chosen.
course::Setting table_setting(const ChainTable& chain, std::string usual, int64_t most_steps = 1000);
ChainTable chosen_chain(const course::Settings& settings, const ChainTable& usual);

/// What a walk along a chain shows at each step i = 0..N: x_i, one row per path.
using ChainVisitor = std::function<void(int64_t i, const Tensor& x)>;

struct WalkOptions {
  /// Deviation of the step's noise from its variance.
  double (*deviation)(double variance) = nullptr;  ///< the square root where null
};
/// Walks the rows x_0 through x_i = sqrt(1 - beta_i) x_{i-1} + sqrt(beta_i) z, with the coefficients of the
/// process's transitions. Float64.
void walk(const ChainTable& chain, Tensor x, const Rng& rng, const ChainVisitor& visit,
          const WalkOptions& options = {});

/// The mean mu_theta(x_i, i) of the reverse step from t to s, by the ancestral sampler without its noise.
Tensor reverse_mean(const Denoiser& denoiser, const Tensor& x, double t, double s);

}  // namespace fokker::verify
