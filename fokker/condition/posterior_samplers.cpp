#include "fokker/condition/method/ddnm.h"
#include "fokker/condition/method/dps.h"
#include "fokker/condition/method/gibbs.h"
#include "fokker/condition/method/mmps.h"
#include "fokker/condition/method/pigdm.h"
#include "fokker/condition/method/replacement.h"
#include "fokker/condition/method/tds.h"
#include "fokker/core/boundary.h"

namespace fokker {
namespace {

using Pointer = std::unique_ptr<PosteriorSampler>;
using PosteriorRegistry = Registry<Pointer>;

std::vector<PosteriorRegistry::Entry> posterior_entries() {
  return {
      {"replacement", "the measured part of x_t is replaced by noised y (RePaint: resample > 1)",
       [](Spec& s) -> Pointer { return std::make_unique<Replacement>(s.integer("resample", 1, 1)); }},
      {"ddnm", "the measured part of the estimate is replaced by y (DDNM+ with noise)",
       [](Spec&) -> Pointer { return std::make_unique<Ddnm>(); }},
      {"dps", "steps down the misfit of the estimate; any measurement",
       [](Spec& s) -> Pointer {
         const double step = s.number("step", 1);
         return std::make_unique<Dps>(
             step, s.word<Dps::Form>("form", {{"norm", Dps::Form::norm}, {"squared", Dps::Form::squared}}));
       }},
      {"pigdm", "the likelihood with an assumed spread of x_0, as a score",
       [](Spec& s) -> Pointer { return std::make_unique<Pigdm>(s.text("sampler", "ancestral")); }},
      {"mmps", "the likelihood with the denoiser's own spread of x_0, by conjugate gradients",
       [](Spec& s) -> Pointer {
         return std::make_unique<Mmps>(Mmps::Options{.iterations = s.integer("iterations", 5, 1),
                                                     .tolerance = s.number("tolerance", 1e-6, 0),
                                                     .sampler = s.text("sampler", "ancestral")});
       }},
      {"tds", "weighted particles, exact as they become many; needs noise",
       [](Spec& s) -> Pointer {
         const double threshold = s.number("threshold", 0.5, 0);
         return std::make_unique<Tds>(Tds::Options{
             .threshold = threshold,
             .covariance = s.word<TwistCovariance>("covariance", {{"auto", TwistCovariance::automatic},
                                                                  {"jacobian", TwistCovariance::jacobian},
                                                                  {"assumed", TwistCovariance::assumed}})});
       }},
      {"gibbs", "turns between the likelihood and the prior at a small distance (split Gibbs)",
       [](Spec& s) -> Pointer {
         return std::make_unique<Gibbs>(Gibbs::Options{.iterations = s.integer("iterations", 30, 1),
                                                       .largest = s.number("largest", 3),
                                                       .smallest = s.number("smallest", 0.1)});
       }}};
}

PosteriorRegistry& posterior_registry() {
  static PosteriorRegistry registry("posterior sampler", posterior_entries());
  return registry;
}

}  // namespace

std::unique_ptr<PosteriorSampler> make_posterior_sampler(std::string_view spec) try {
  return posterior_registry().make(spec);
} catch (...) {
  detail::throw_as_error();
}

std::vector<std::string> posterior_sampler_names() {
  return posterior_registry().names();
}
std::vector<Description> posterior_sampler_descriptions() {
  return posterior_registry().descriptions();
}

void register_posterior_sampler(const std::string& name,
                                std::function<std::unique_ptr<PosteriorSampler>(Spec&)> make,
                                const std::string& summary) {
  posterior_registry().add({name, summary, std::move(make)});
}

}  // namespace fokker
