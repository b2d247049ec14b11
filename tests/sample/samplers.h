#pragma once
#include "fokker/denoise/analytic.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ancestral/ancestral.h"
#include "fokker/sample/method/ancestral/ddim.h"
#include "fokker/sample/method/exponential/deis.h"
#include "fokker/sample/method/exponential/dpmpp_2m.h"
#include "fokker/sample/method/exponential/dpmpp_2s.h"
#include "fokker/sample/method/exponential/dpmpp_3m.h"
#include "fokker/sample/method/exponential/lms.h"
#include "fokker/sample/method/exponential/pndm.h"
#include "fokker/sample/method/exponential/unipc.h"
#include "fokker/sample/method/langevin/predictor_corrector.h"
#include "fokker/sample/method/ode/dopri5.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "fokker/sample/method/sde/adaptive_sde.h"
#include "fokker/sample/method/sde/dpmpp_sde.h"
#include "fokker/sample/method/sde/edm_stochastic.h"
#include "fokker/sample/method/sde/euler_maruyama.h"
#include "fokker/sample/method/sde/stochastic_heun.h"
#include "support.h"

namespace fokker {

inline GaussianProcess process_of(const char* spec) {
  return GaussianProcess(make_schedule(spec));
}

/// The exact denoiser of N(0.8, 0.4^2).
inline AnalyticDenoiser gaussian_denoiser(const char* spec) {
  return AnalyticDenoiser(GaussianMixture::gaussian(vector_of({0.8}), vector_of({0.16})), process_of(spec));
}

/// The exact denoiser of two overlapping modes in the plane.
inline AnalyticDenoiser mixture_denoiser(const char* spec) {
  return AnalyticDenoiser(
      GaussianMixture(vector_of({0.2, 0.8}), rows_of({{-1.0, 0.0}, {1.0, 0.5}}), vector_of({0.1, 0.2})),
      process_of(spec));
}

/// What `work` refuses, in its own words.
inline std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

struct NamedSampler {
  std::string label;
  std::shared_ptr<const Sampler> sampler;
};

inline void PrintTo(const NamedSampler& named, std::ostream* stream) {
  *stream << named.label;
}

/// Every deterministic method of a fixed step at its full order, whatever the grid.
inline std::vector<NamedSampler> deterministic_samplers() {
  std::vector<NamedSampler> all = {
      {"euler", std::make_shared<Euler>()},
      {"heun", std::make_shared<Heun>()},
      {"rk4", std::make_shared<RungeKutta4>()},
      {"ddim", std::make_shared<Ddim>()},
      {"dpmpp-2m", std::make_shared<DpmPp2M>()},
      {"dpmpp-2s", std::make_shared<DpmPp2S>()},
      {"dpmpp-2s, r 0.3", std::make_shared<DpmPp2S>(DpmPp2S::Options{.ratio = 0.3})},
      {"dpmpp-3m", std::make_shared<DpmPp3M>(DpmPp3M::Options{.start = Start::runge_kutta})},
      {"dpmpp-sde, eta 0", std::make_shared<DpmPpSde>(DpmPpSde::Options{.eta = 0})},
      {"edm, no churn", std::make_shared<EdmStochastic>(EdmStochastic::Options{.churn = 0})},
      {"pndm", std::make_shared<Pndm>()},
      {"plms", std::make_shared<Pndm>(Pndm::Options{.warm_up = false})},
  };
  for (const int64_t order : {1, 2, 3, 4})
    all.push_back({fmt::format("lms {}", order), std::make_shared<LinearMultistep>(LinearMultistep::Options{
                                                     .order = order, .start = Start::runge_kutta})});
  for (const auto variable : {Deis::Variable::time, Deis::Variable::log_snr})
    for (const int64_t order : {1, 2, 3})
      all.push_back({fmt::format("deis {} in {}", order, variable == Deis::Variable::time ? "t" : "log-SNR"),
                     std::make_shared<Deis>(
                         Deis::Options{.order = order, .variable = variable, .start = Start::runge_kutta})});
  for (const auto scale : {UniPc::Scale::bh1, UniPc::Scale::bh2})
    for (const bool corrector : {false, true})
      for (const int64_t order : {1, 2})
        all.push_back({fmt::format("unipc {} bh{} {}", order, scale == UniPc::Scale::bh1 ? 1 : 2,
                                   corrector ? "corrected" : "predicted"),
                       std::make_shared<UniPc>(
                           UniPc::Options{.order = order, .scale = scale, .corrector = corrector})});
  return all;
}

/// Multistep methods whose first steps, of lower order as published, limit them.
inline std::vector<NamedSampler> started_low() {
  using Weights = DpmPp3M::Weights;
  return {
      {"dpmpp-3m", std::make_shared<DpmPp3M>()},
      {"dpmpp-3m published", std::make_shared<DpmPp3M>(DpmPp3M::Options{.weights = Weights::published,
                                                                        .start = Start::runge_kutta})},
      {"lms 3", std::make_shared<LinearMultistep>(LinearMultistep::Options{.order = 3})},
      {"lms 4", std::make_shared<LinearMultistep>()},
      {"deis 3", std::make_shared<Deis>()},
      {"unipc 3 predicted", std::make_shared<UniPc>(UniPc::Options{.order = 3, .corrector = false})},
      {"unipc 3 corrected", std::make_shared<UniPc>(UniPc::Options{.order = 3})},
  };
}

/// Every stochastic method with an order.
inline std::vector<NamedSampler> stochastic_samplers() {
  using Form = DpmPpSde::Form;
  return {
      {"euler-maruyama", std::make_shared<EulerMaruyama>()},
      {"stochastic-heun", std::make_shared<StochasticHeun>()},
      {"ancestral posterior", std::make_shared<Ancestral>()},
      {"ancestral transition", std::make_shared<Ancestral>(Ancestral::Variance::transition)},
      {"ddim 0.5", std::make_shared<Ddim>(0.5)},
      {"ddim 1", std::make_shared<Ddim>(1.0)},
      {"dpmpp-sde", std::make_shared<DpmPpSde>()},
      {"dpmpp-sde 0.5", std::make_shared<DpmPpSde>(DpmPpSde::Options{.eta = 0.5})},
      {"dpmpp-sde singlestep", std::make_shared<DpmPpSde>(DpmPpSde::Options{.form = Form::singlestep})},
      {"edm-stochastic", std::make_shared<EdmStochastic>(EdmStochastic::Options{.churn = 5})},
  };
}

}  // namespace fokker
