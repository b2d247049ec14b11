#pragma once
#include "fokker/sample/chain/markov_chain.h"

namespace fokker {

/// x + h score + sqrt(2 h) z: Euler-Maruyama on dx = score dt + sqrt(2) dB (the lecture on score matching,
/// section 4.3).
Tensor langevin_step(const Tensor& x, const Tensor& score, double step, const Tensor& noise);

/// The unadjusted Langevin algorithm, X^{k+1} = X^k + h s(X^k) + sqrt(2 h) xi (the lecture on score matching,
/// section 4.3). Its stationary law is off by O(h): for N(0, v I) the variance is v / (1 - h/(2 v)).
class Ula final : public MarkovKernel {
 public:
  /// step: h, in squared units of x.
  explicit Ula(double step);
  std::string name() const override { return "ula"; }

 private:
  void do_step(const Distribution& target, ChainState& state, const ChainNoise& noise) const override;
  double step_;
};

/// ULA's move as a proposal that is accepted or refused (Metropolis-Hastings; Roberts and Tweedie 1996), so
/// that the target is exactly stationary. Needs the target's log density, up to a constant.
class Mala final : public MarkovKernel {
 public:
  explicit Mala(double step);
  std::string name() const override { return "mala"; }

 private:
  void do_start(const Distribution& target, ChainState& state, const ChainNoise& noise) const override;
  void do_step(const Distribution& target, ChainState& state, const ChainNoise& noise) const override;
  double step_;
};

/// Underdamped (kinetic) Langevin dynamics of unit mass,
///   dx = v dt,  dv = (score - gamma v) dt + sqrt(2 gamma) dB,
/// by the splitting BAOAB (Leimkuhler and Matthews 2013): one score per step. For N(0, s^2 I) the law of x is
/// exact for every stable h < 2 s; that of v has variance 1 - h^2/(4 s^2).
class UnderdampedLangevin final : public MarkovKernel {
 public:
  struct Options {
    double step = 0.2;      ///< h, in units of time
    double friction = 1.0;  ///< gamma
  };
  explicit UnderdampedLangevin(Options options);
  std::string name() const override { return "underdamped-langevin"; }

 private:
  void do_start(const Distribution& target, ChainState& state, const ChainNoise& noise) const override;
  void do_step(const Distribution& target, ChainState& state, const ChainNoise& noise) const override;
  Options options_;
};

}  // namespace fokker
