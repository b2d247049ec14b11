#pragma once
#include <vector>

#include "fokker/course/verify/quadrature.h"
#include "fokker/course/verify/theory_check.h"
#include "fokker/sde/simulate.h"
#include "fokker/target/gaussian_mixture.h"

/// What several checks share: small problems, and exact expectations that use none of the code under test.
namespace fokker::verify {

/// Points (n, d) and weights (n) with sum of w f(x) = E f(X).
struct Quadrature {
  Tensor x, weights;
  double mean(const Tensor& values) const { return (weights * values).sum().item<double>(); }
};
/// Of N(0, I): the trapezoidal rule with `points` per axis on [-reach, reach]. Its error is exp(-2 pi^2 /
/// spacing^2) for entire functions, besides what lies beyond the reach.
Quadrature normal_quadrature(int64_t dimension, int64_t points, double reach = 8);
/// Of a mixture with regular covariances, component by component.
Quadrature mixture_quadrature(const GaussianMixture& mixture, int64_t points, double reach = 8);
/// Of independent x0 from the mixture and standard normal noise.
struct NoisedQuadrature {
  Tensor x0, noise, weights;
  double mean(const Tensor& values) const { return (weights * values).sum().item<double>(); }
};
NoisedQuadrature noised_quadrature(const GaussianMixture& mixture, int64_t points, double reach = 8);

/// Variances of the components and of the whole law along their axes, the smallest first.
std::vector<double> variances_of(const GaussianMixture& mixture);
/// Nodes that reach over a mixture on the line, an eighth of its narrowest deviation apart, or of `finest`
/// where that is smaller.
Line line_over(const GaussianMixture& mixture, double finest = 1e300, double reach = 9);

/// The setting "target" with the mixtures below for its default.
Setting skewed_setting(LawLimits limits = {});
Setting tilted_setting(LawLimits limits);
Setting skewed_and_tilted_setting(LawLimits limits);
/// What sums over points in the plane resolve in seconds.
constexpr LawLimits plane_limits{
    .least_dimension = 2, .most_dimension = 2, .least_deviation = 0.2, .most_deviation = 3, .reach = 12};
constexpr LawLimits line_or_plane_limits{
    .least_dimension = 1, .most_dimension = 2, .least_deviation = 0.2, .most_deviation = 3, .reach = 12};

/// 0.3 N(-2, 0.25) + 0.7 N(1.5, 0.64) on the line: skewed, two modes, some mass between them.
GaussianMixture skewed_mixture();
/// 0.3 N((-1, .5), [[.5, .2], [.2, .4]]) + 0.7 N((1, -.5), diag(.3, .8)) in the plane.
GaussianMixture tilted_mixture();
/// 1/5 N((-5, -5), I) + 4/5 N((5, 5), I), the toy of S2 section 4.3; and its projection on the diagonal.
GaussianMixture two_modes();
GaussianMixture two_modes_projected();
/// Distribution function of a mixture on the line.
Tensor mixture_distribution(const GaussianMixture& mixture, const Tensor& x);

/// Noise of which the k-th draw, from 1 on, is one in row k and zero elsewhere: what a linear recursion from
/// rows (draws + 1, 1) makes of each draw by itself. It counts the draws in `drawn`, which must outlive it.
NoiseSource one_draw_a_row(int64_t& drawn);

/// Fields that have nothing to do with any target, (n, d) -> (n, d) for every d; in the plane the third is no
/// gradient.
struct Field {
  std::string name;
  std::function<Tensor(const Tensor& x)> value;
};
std::vector<Field> unrelated_fields();

/// Simulates in float64 and returns the states at the given steps.
std::vector<Tensor> states_at(const Sde& sde, const Tensor& start, const std::vector<double>& times,
                              const std::vector<int64_t>& steps, const Rng& rng,
                              std::optional<SdeMethod> method = {});
Tensor end_state(const Sde& sde, const Tensor& start, const std::vector<double>& times, const Rng& rng,
                 std::optional<SdeMethod> method = {});

/// Times 0 = noise, ..., 1 = data of a reversed process, at which log(variance + sigma^2 / alpha^2) + pull t
/// falls by equal steps: without `pull` the reversal of N(0, variance) contracts alike in every step; with it
/// no step is long where the process hardly moves the data.
std::vector<double> reversal_times(const GaussianProcess& process, double variance, int64_t steps,
                                   double pull = 0);
/// The largest relative error of the variance that Euler-Maruyama makes over these times in reversing N(0,
/// v), v in `variances`: a linear recursion, without Monte Carlo error. An allowance for the same steps
/// elsewhere.
double euler_error(const GaussianProcess& process, const std::vector<double>& variances,
                   const std::vector<double>& times);

/// The Langevin diffusion of a density on the line as a reversible Markov chain on a uniform grid (n): exact
/// up to the square of the spacing, and made of the log density alone.
class LangevinSpectrum {
 public:
  LangevinSpectrum(const Tensor& grid, const Tensor& log_density);
  /// E f(X_0) g(X_t) in equilibrium, for functions on the grid.
  double correlation(const Tensor& f, const Tensor& g, double t) const;
  /// The rate at which the slowest function decays.
  double gap() const;

 private:
  Tensor root_, values_, vectors_;
};

/// The law of X' = x + h s(x) + sqrt(2 h) z on a uniform grid (n), for densities on it.
class UlaLaw {
 public:
  UlaLaw(const Tensor& grid, const Tensor& score, double step);
  Tensor after(Tensor density, int64_t steps) const;

 private:
  Tensor kernel_;  ///< (n, n): from, to
};

}  // namespace fokker::verify
