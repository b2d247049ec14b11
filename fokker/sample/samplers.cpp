#include "fokker/sample/samplers.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/sample/method/ancestral/ancestral.h"
#include "fokker/sample/method/ancestral/ddim.h"
#include "fokker/sample/method/exponential/deis.h"
#include "fokker/sample/method/exponential/dpmpp_2m.h"
#include "fokker/sample/method/exponential/dpmpp_2s.h"
#include "fokker/sample/method/exponential/dpmpp_3m.h"
#include "fokker/sample/method/exponential/lms.h"
#include "fokker/sample/method/exponential/pndm.h"
#include "fokker/sample/method/exponential/unipc.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"
#include "fokker/sample/method/langevin/predictor_corrector.h"
#include "fokker/sample/method/ode/dopri5.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "fokker/sample/method/sde/adaptive_sde.h"
#include "fokker/sample/method/sde/dpmpp_sde.h"
#include "fokker/sample/method/sde/edm_stochastic.h"
#include "fokker/sample/method/sde/euler_maruyama.h"
#include "fokker/sample/method/sde/stochastic_heun.h"

namespace fokker {
namespace {

using SamplerRegistry = Registry<SamplerChoice, GaussianProcess>;

Start start_of(Spec& spec) {
  return spec.word<Start>("start",
                          {{"lower-order", Start::lower_order}, {"runge-kutta", Start::runge_kutta}});
}

SamplerChoice ancestral(Spec& spec, const GaussianProcess& process) {
  using Variance = Ancestral::Variance;
  const auto variance = spec.word<Variance>(
      "variance", {{"posterior", Variance::posterior}, {"transition", Variance::transition}});
  const int64_t chain = process.schedule()->chain_steps();
  return {std::make_unique<Ancestral>(variance), chain ? "uniform" : "log-snr", chain ? chain : 200};
}

SamplerChoice ddim(Spec& spec, const GaussianProcess& process) {
  return {std::make_unique<Ddim>(spec.number("eta", 0.0)),
          process.schedule()->chain_steps() ? "uniform" : "log-snr", 50};
}

/// With a number of steps on a spacing that suits the process.
SamplerChoice to_data(std::unique_ptr<Sampler> sampler, const GaussianProcess& process, const char* spacing,
                      int64_t steps) {
  return {std::move(sampler), spacing_to_data(spacing, process, steps), steps};
}

SamplerChoice euler_maruyama(Spec& spec, const GaussianProcess& process) {
  const EulerMaruyama::Options options{.denoise_last = spec.flag("denoise_last", false)};
  return to_data(std::make_unique<EulerMaruyama>(options), process, "uniform", 500);
}

/// Where alpha = 1 a hundred steps would raise sigma by a tenth each, and lose a quarter of the deviation.
SamplerChoice euler(Spec&, const GaussianProcess& process) {
  return {std::make_unique<Euler>(), "log-snr", process.alpha(1) == 1 ? 600 : 100};
}

SamplerChoice dopri5(Spec& spec, const GaussianProcess&) {
  const Dopri5::Options options{.rtol = spec.number("rtol", 1e-5), .atol = spec.number("atol", 1e-5)};
  return {std::make_unique<Dopri5>(options), "uniform", 1};
}

SamplerChoice adaptive_sde(Spec& spec, const GaussianProcess&) {
  const AdaptiveSde::Options options{.rtol = spec.number("rtol", 0.01), .atol = spec.number("atol", 0.01)};
  return {std::make_unique<AdaptiveSde>(options), "uniform", 1};
}

SamplerChoice dpmpp_2s(Spec& spec, const GaussianProcess&) {
  const bool paired = spec.flag("paired", false);
  check(!paired || !spec.has("ratio"), "dpmpp-2s: expected ratio or paired, not both");
  const DpmPp2S::Options options{.ratio = paired ? 0.5 : spec.number("ratio", 0.5), .paired = paired};
  return {std::make_unique<DpmPp2S>(options), "log-snr", 20};
}

SamplerChoice dpmpp_3m(Spec& spec, const GaussianProcess&) {
  using Weights = DpmPp3M::Weights;
  const auto weights =
      spec.word<Weights>("weights", {{"exact", Weights::exact}, {"published", Weights::published}});
  return {std::make_unique<DpmPp3M>(DpmPp3M::Options{.weights = weights, .start = start_of(spec)}), "log-snr",
          30};
}

SamplerChoice dpmpp_sde(Spec& spec, const GaussianProcess&) {
  using Form = DpmPpSde::Form;
  const auto form =
      spec.word<Form>("form", {{"multistep", Form::multistep}, {"singlestep", Form::singlestep}});
  return {std::make_unique<DpmPpSde>(DpmPpSde::Options{.form = form, .eta = spec.number("eta", 1.0)}),
          "log-snr", 60};
}

/// Steps that shrink towards the data suit processes that end there; others are noisy at t = 0 already.
SamplerChoice unipc(Spec& spec, const GaussianProcess& process) {
  const UniPc::Options options{
      .order = spec.integer("order", 2),
      .scale = spec.word<UniPc::Scale>("scale", {{"bh2", UniPc::Scale::bh2}, {"bh1", UniPc::Scale::bh1}}),
      .corrector = spec.flag("corrector", true),
      .lower_order_final = spec.flag("lower_order_final", false)};
  return to_data(std::make_unique<UniPc>(options), process, process.sigma(0) > 0 ? "log-snr" : "quadratic",
                 30);
}

SamplerChoice deis(Spec& spec, const GaussianProcess& process) {
  using Variable = Deis::Variable;
  const Deis::Options options{
      .order = spec.integer("order", 3),
      .variable = spec.word<Variable>("variable", {{"time", Variable::time}, {"log-snr", Variable::log_snr}}),
      .start = start_of(spec),
      .lower_order_final = spec.flag("lower_order_final", false)};
  return to_data(std::make_unique<Deis>(options), process, "quadratic", 20);
}

/// Where sigma / alpha begins at infinity, most of Karras's steps would lie where nothing of the data shows.
SamplerChoice lms(Spec& spec, const GaussianProcess& process) {
  const LinearMultistep::Options options{.order = spec.integer("order", 4), .start = start_of(spec)};
  return {std::make_unique<LinearMultistep>(options), process.alpha(1) > 0 ? "karras" : "uniform", 30};
}

SamplerChoice pndm(Spec& spec, const GaussianProcess& process) {
  const Pndm::Options options{.warm_up = spec.flag("warm_up", true)};
  return to_data(std::make_unique<Pndm>(options), process, "uniform", 50);
}

SamplerChoice edm_stochastic(Spec& spec, const GaussianProcess&) {
  const EdmStochastic::Options usual;
  const EdmStochastic::Options options{.churn = spec.number("churn", usual.churn),
                                       .low = spec.number("low", usual.low),
                                       .high = spec.number("high", usual.high),
                                       .noise_scale = spec.number("noise_scale", usual.noise_scale)};
  return {std::make_unique<EdmStochastic>(options), "karras", 100};
}

/// predictor-corrector:predictor=NAME, with the predictor's own defaults.
SamplerChoice predictor_corrector(Spec& spec, const GaussianProcess& process) {
  check(!spec.has("snr") || !spec.has("step"), "predictor-corrector: expected snr or step, not both");
  const PredictorCorrector::Options usual;
  const PredictorCorrector::Options options{.inner = spec.integer("inner", usual.inner),
                                            .signal_to_noise = spec.number("snr", usual.signal_to_noise),
                                            .relative_step = spec.number("step", usual.relative_step)};
  const std::string name = spec.text("predictor", "euler-maruyama");
  check(name != "predictor-corrector" && name != "annealed-langevin",
        "predictor-corrector: expected a predictor from level to level but received {}", name);
  SamplerChoice predictor = make_sampler(name, process);
  return {std::make_unique<PredictorCorrector>(std::move(predictor.sampler), options), predictor.grid,
          predictor.steps};
}

/// annealed-langevin:levels=20,inner=100 with step = h_i / sigma_i^2, or last_step = h_L.
SamplerChoice annealed_langevin(Spec& spec, const GaussianProcess& process) {
  const double last_sigma = process.sigma(process.time_min());
  const bool by_last = spec.has("last_step");
  check(!by_last || !spec.has("step"), "annealed-langevin: expected step or last_step, not both");
  const double step =
      by_last ? spec.number("last_step", 0) / (last_sigma * last_sigma) : spec.number("step", 0.1);
  const std::string set_by = spec.has("levels") ? "levels" : "";
  const int64_t levels = spec.integer("levels", 20);
  check(levels > 1, "annealed-langevin: expected levels > 1 but received {}", levels);
  // Levels are the times of the grid; where sigma(0) = 0 the time 0 is not one of them.
  const int64_t steps = process.sigma(0) > 0 ? levels - 1 : levels;
  return {std::make_unique<AnnealedLangevin>(
              AnnealedLangevin::Options{.inner = spec.integer("inner", 100), .relative_step = step}),
          "log-snr", steps, set_by};
}

/// A method without parameters.
template <typename Method>
SamplerRegistry::Make plain(const char* grid, int64_t steps) {
  return [=](Spec&, const GaussianProcess& process) {
    return to_data(std::make_unique<Method>(), process, grid, steps);
  };
}

SamplerRegistry& samplers() {
  static SamplerRegistry registry(
      "sampler",
      {{"ancestral", "the chain's own reverse step", ancestral},
       {"ddim", "deterministic for eta = 0, ancestral for eta = 1", ddim},
       {"euler-maruyama", "the reverse SDE, order 1/2", euler_maruyama},
       {"stochastic-heun", "the reverse SDE, with a corrected drift", plain<StochasticHeun>("uniform", 250)},
       {"adaptive-sde", "the reverse SDE, with steps of its own", adaptive_sde},
       {"euler", "the probability flow, order 1", euler},
       {"heun", "the probability flow, order 2", plain<Heun>("log-snr", 40)},
       {"rk4", "the probability flow, order 4", plain<RungeKutta4>("log-snr", 25)},
       {"dopri5", "the probability flow, with steps of its own", dopri5},
       {"dpmpp-2m", "DPM-Solver++ of order 2, multistep", plain<DpmPp2M>("log-snr", 30)},
       {"dpmpp-2s", "DPM-Solver++ of order 2, single steps", dpmpp_2s},
       {"dpmpp-3m", "DPM-Solver++ of order 3, multistep", dpmpp_3m},
       {"dpmpp-sde", "DPM-Solver++ of the reverse SDE", dpmpp_sde},
       {"unipc", "predictor and corrector at one evaluation a step", unipc},
       {"deis", "exponential integrator, multistep", deis},
       {"lms", "Adams-Bashforth in sigma / alpha", lms},
       {"pndm", "pseudo linear multistep", pndm},
       {"edm-stochastic", "Heun steps with noise put back in", edm_stochastic},
       {"predictor-corrector", "a sampler's steps with Langevin steps between", predictor_corrector},
       {"annealed-langevin", "Langevin steps at one noise level after another", annealed_langevin}});
  return registry;
}

}  // namespace

SamplerChoice make_sampler(std::string_view text, const GaussianProcess& process) try {
  const Spec spec("sampler", text);
  check(!is_chain(spec.name()),
        "sampler '{}': a Markov chain on one law, which has no steps in time; expected a sampler",
        spec.name());
  if (!is_sampler(spec.name())) spec.unknown_name(sampler_names());
  return samplers().make(text, process);
} catch (...) {
  detail::throw_as_error();
}

bool is_sampler(std::string_view spec) {
  return samplers().contains(spec.substr(0, spec.find(':')));
}

std::vector<std::string> sampler_names() {
  std::vector<std::string> names = samplers().names();
  for (const std::string& name : chain_names()) names.push_back(name);
  return names;
}

std::vector<Description> sampler_descriptions() {
  std::vector<Description> all = samplers().descriptions(VariancePreserving{});
  for (const Description& chain : chain_descriptions()) all.push_back(chain);
  return all;
}

void register_sampler(const std::string& name,
                      std::function<SamplerChoice(Spec&, const GaussianProcess&)> make,
                      const std::string& summary) {
  detail::check_entry("sampler", name, static_cast<bool>(make), is_chain(name));
  samplers().add({name, summary, std::move(make)});
}

}  // namespace fokker
