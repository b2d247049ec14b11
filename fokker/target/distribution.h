#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// A distribution on R^d of which something is known exactly: its density, its score or a sampler.
/// Arguments x have shape (n, d), or (n, ...) with d elements per sample, and a floating dtype; densities
/// come back as (n) and scores in the shape of x, both in its dtype. What is not known is refused with an
/// argument error.
class Distribution {
 public:
  virtual ~Distribution() = default;

  virtual std::string name() const = 0;
  /// d.
  virtual int64_t dimension() const = 0;

  virtual bool has_density() const { return true; }
  virtual bool has_score() const { return has_density(); }
  virtual bool can_sample() const { return false; }
  /// Whether `log_density` includes the normalising constant.
  virtual bool normalised() const { return true; }

  /// log p(x) in nats, (n); up to a constant unless `normalised()`.
  virtual Tensor log_density(const Tensor& x) const;
  /// grad log p(x).
  virtual Tensor score(const Tensor& x) const;
  /// n independent samples, (n, d) float64. Keyed by sample index: the first n of 2n are the same.
  virtual Tensor sample(int64_t count, const Rng& rng) const;

 protected:
  /// x as (n, d) float64, after checking its shape and dtype.
  Tensor rows(const Tensor& x) const;
};

/// A distribution made of functions. Those left empty are refused when called.
/// They receive and return float64: x (n, d) -> (n), x -> (n, d), (count, rng) -> (count, d).
struct DistributionFunctions {
  std::string name = "distribution";
  int64_t dimension = 0;
  std::function<Tensor(const Tensor& x)> log_density;
  std::function<Tensor(const Tensor& x)> score;
  std::function<Tensor(int64_t count, const Rng& rng)> sample;
  bool normalised = true;
};

class FunctionDistribution final : public Distribution {
 public:
  explicit FunctionDistribution(DistributionFunctions functions);

  std::string name() const override { return functions_.name; }
  int64_t dimension() const override { return functions_.dimension; }
  bool has_density() const override { return static_cast<bool>(functions_.log_density); }
  bool has_score() const override { return static_cast<bool>(functions_.score); }
  bool can_sample() const override { return static_cast<bool>(functions_.sample); }
  bool normalised() const override { return functions_.normalised; }
  Tensor log_density(const Tensor& x) const override;
  Tensor score(const Tensor& x) const override;
  Tensor sample(int64_t count, const Rng& rng) const override;

 private:
  DistributionFunctions functions_;
};

}  // namespace fokker
