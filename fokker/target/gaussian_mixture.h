#pragma once
#include <memory>

#include "fokker/target/distribution.h"

namespace fokker {
namespace kernel {
struct CentredMeans;
struct ComponentMoments;
struct MixtureSoftmax;
class SoftmaxComponents;
}  // namespace kernel

/// sum_k w_k N(m_k, S_k). A Gaussian is the case of one component, the empirical distribution of a data set
/// that of zero covariance. Noising maps mixtures to mixtures, so every quantity of a diffusion started here
/// is exact. Covariances are held as eigen-decompositions, in float64. Safe to share between threads.
///
/// Functions of x compute in float64 and return the dtype of x; where x is float32 and the components
/// share one covariance, sums over them are as accurate as kernel::SoftmaxQueries::single says. They work
/// through x in blocks, so that working memory stays below about 256 MB besides the parameters, the
/// kernels' copies of them (kernel::SoftmaxComponents), and x and the results, which are held up to four
/// times. They record gradients with respect to x, alpha and
/// sigma where these require them (then the blocks' intermediate results are kept).
class GaussianMixture final : public Distribution {
 public:
  /// weights: (k) positive, any scale; means: (k, d); covariances: one number for all, (k) numbers, (k, d)
  /// diagonals or (k, d, d) symmetric positive semi-definite matrices; zero is allowed.
  /// Argument errors name the component.
  GaussianMixture(const Tensor& weights, const Tensor& means, const Tensor& covariances);

  static GaussianMixture standard_normal(int64_t dimension);
  /// mean: (d); covariance: a number, a diagonal (d) or a matrix (d, d).
  static GaussianMixture gaussian(const Tensor& mean, const Tensor& covariance);
  /// The empirical distribution of points (n, ...), flattened to (n, d).
  static GaussianMixture empirical(const Tensor& points);

  /// The law of alpha x0 + sigma eps with x0 from this mixture and eps ~ N(0, I): means alpha m_k,
  /// covariances alpha^2 S_k + sigma^2 I.
  GaussianMixture noised(double alpha, double sigma) const;

  /// What x = alpha x0 + sigma eps says about x0 and eps.
  struct Posterior {
    Tensor denoised;     ///< E[x0 | x], shape of x
    Tensor noise;        ///< E[eps | x], shape of x; the score of the noised law is -noise / sigma
    Tensor log_density;  ///< log p(x) of the noised law, (n)
  };
  /// Per component, with C = alpha^2 S_k + sigma^2 I and r = x - alpha m_k:
  ///   E[x0 | x, k] = m_k + alpha S_k C^-1 r,   E[eps | x, k] = sigma C^-1 r,
  /// averaged with the responsibilities p(k | x). Argument error where C is singular (sigma = 0 and no
  /// density).
  Posterior posterior(const Tensor& x, double alpha, double sigma) const;
  /// As above with one alpha and one sigma per sample, (n) each.
  Posterior posterior(const Tensor& x, const Tensor& alpha, const Tensor& sigma) const;

  /// p(component | x), (n, k), under this mixture.
  Tensor responsibilities(const Tensor& x) const;

  std::string name() const override { return "gaussian-mixture"; }
  int64_t dimension() const override { return means_.size(1); }
  /// False where a covariance is singular.
  bool has_density() const override { return smallest_variance_ > 0; }
  bool can_sample() const override { return true; }
  Tensor log_density(const Tensor& x) const override;
  Tensor score(const Tensor& x) const override;
  Tensor sample(int64_t count, const Rng& rng) const override;

  /// Whether every covariance is zero: an empirical distribution.
  bool is_discrete() const { return shared() && variances_.item<double>() == 0; }
  /// Whether all components have one and the same covariance, a number times I.
  bool shares_covariance() const { return shared(); }
  int64_t components() const { return means_.size(0); }
  /// (k), summing to one.
  const Tensor& weights() const { return weights_; }
  /// (k, d).
  const Tensor& means() const { return means_; }
  /// (d, d): covariance of one component.
  Tensor component_covariance(int64_t component) const;
  /// (d): mean of the whole mixture.
  Tensor mean() const;
  /// E|x|^2 / d.
  double mean_square() const;
  /// (d, d): covariance of the whole mixture.
  Tensor covariance() const;

  /// The same mixture with its parameters on another device.
  GaussianMixture to(at::Device device) const;

 private:
  /// One block of results: `negative_score` = -grad log p = E[eps | x] / sigma, which also exists at sigma =
  /// 0.
  struct Block {
    Tensor denoised, negative_score, log_density, responsibilities;
  };
  /// Of a range of components: C^-1 r along the axes (k, n, d) and log w_k N(x; ...) + const (k, n).
  struct Terms {
    Tensor scaled, logits;
  };
  enum class Wanted { moments, responsibilities };

  GaussianMixture() = default;
  void set_weights(const Tensor& weights);
  void set_covariances(const Tensor& covariances);
  void simplify_covariances();
  void prepare();
  bool shared() const { return variances_.dim() == 0; }
  bool streams(const Tensor& x, const Tensor& alpha, const Tensor& sigma, Wanted wanted) const;
  int64_t rows_per_block(Wanted wanted, bool gradients) const;
  Block evaluate(const Tensor& x, const Tensor& alpha, const Tensor& sigma, Wanted wanted, bool single) const;
  Terms component_terms(const Tensor& x, const Tensor& alpha, const Tensor& sigma, int64_t begin,
                        int64_t end) const;
  Block shared_block(const Tensor& x, const Tensor& alpha, const Tensor& sigma, Wanted wanted,
                     bool single) const;
  Block fused_block(const Tensor& x, const Tensor& alpha, const Tensor& sigma, const Tensor& variance,
                    const kernel::MixtureSoftmax& softmax) const;
  Block component_block(const Tensor& x, const Tensor& alpha, const Tensor& sigma) const;
  kernel::ComponentMoments moments_of(const Tensor& x, const Tensor& alpha, const Tensor& sigma,
                                      int64_t begin, int64_t end) const;
  Block block_of(const kernel::ComponentMoments& moments, const Tensor& alpha) const;
  Block general_block(const Tensor& x, const Tensor& alpha, const Tensor& sigma, Wanted wanted) const;

  Tensor weights_, log_weights_;  // (k)
  Tensor means_;                  // (k, d)
  Tensor variances_;              // () shared, (k, 1) isotropic or (k, d): eigenvalues
  Tensor axes_;  // (k, d, d) eigenvectors in columns; undefined where they are the coordinate axes
  double smallest_variance_ = 0;
  // Of the shared case.
  std::shared_ptr<const kernel::CentredMeans> centred_;
  std::shared_ptr<const kernel::SoftmaxComponents> softmax_;  // on the CPU
};

}  // namespace fokker
