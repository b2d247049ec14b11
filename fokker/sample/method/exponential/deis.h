#pragma once
#include "fokker/sample/step/ratio_multistep.h"

namespace fokker {

/// Diffusion exponential integrator (Zhang and Chen 2023, tAB-DEIS, eq. 15): the noise estimate is replaced
/// by the polynomial through its last values, in the time t or in the log-SNR, and the rest is integrated
/// exactly:
///   x_s = (alpha_s/alpha_t) x + alpha_s sum_j eps_j int_{r_t}^{r_s} l_j dr,  r = sigma/alpha.
/// The integrals are taken with 32 Gauss points in r. Order 1 is DDIM. (A polynomial in r itself is `lms`,
/// which shares all but the variable and its integrals: RatioMultistep. `unipc` shares the past and the
/// weights.)
class Deis final : public RatioMultistep {
 public:
  enum class Variable { time, log_snr };
  struct Options {
    int64_t order = 3;  ///< 1 to 3: degree of the polynomial plus 1
    Variable variable = Variable::time;
    Start start = Start::lower_order;
    bool lower_order_final = false;  ///< let the order fall to 1 in the last steps
  };
  explicit Deis(Options options);
  Deis() : Deis(Options()) {}
  std::string name() const override { return "deis"; }

 protected:
  double place(const GaussianProcess& process, double t) const override;
  std::vector<double> weights(const GaussianProcess& process, const RatioStep& step, const Past& past,
                              const StepContext& context) const override;

 private:
  Options options_;
};

}  // namespace fokker
