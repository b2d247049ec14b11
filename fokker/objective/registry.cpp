#include "fokker/objective/registry.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/denoising.h"
#include "fokker/objective/elbo.h"
#include "fokker/objective/explicit.h"
#include "fokker/objective/implicit.h"
#include "fokker/objective/single_level.h"

namespace fokker {
namespace {

using ObjectiveRegistry = Registry<ObjectiveChoice, ObjectiveRecipe>;

/// An exact divergence takes one derivative for each number of a row.
constexpr int64_t most_derivatives = 256;

std::string chosen_weighting(const ObjectiveRecipe& recipe, const std::string& usual) {
  return recipe.weighting == "auto" ? usual : recipe.weighting;
}

ObjectiveChoice denoising(Spec&, const ObjectiveRecipe& recipe) {
  const std::string weighting = chosen_weighting(recipe, recipe.denoising_weighting);
  return {std::make_shared<DenoisingObjective>(DenoisingObjective::Options{
              .weighting = Weighting::from_name(weighting), .times = recipe.times}),
          weighting};
}

/// What score matching across noise levels has in common.
struct Matching {
  std::string weighting;
  ScoreMatchingOptions options;
  explicit Matching(const ObjectiveRecipe& recipe)
      : weighting(chosen_weighting(recipe, "simple")),
        options{.weighting = Weighting::from_name(weighting), .times = recipe.times} {}
};

ObjectiveChoice implicit(Spec&, const ObjectiveRecipe& recipe) {
  const Matching matching(recipe);
  int64_t dimension = 1;
  for (int64_t size : recipe.event_shape) dimension *= size;
  check(dimension <= most_derivatives,
        "objective implicit: expected at most {} numbers per row, as each costs a derivative, but received "
        "{}; use sliced",
        most_derivatives, dimension);
  return {std::make_shared<ImplicitObjective>(matching.options), matching.weighting};
}

ObjectiveChoice sliced(Spec& spec, const ObjectiveRecipe& recipe) {
  using Directions = SlicedObjective::Directions;
  const Matching matching(recipe);
  const SlicedObjective::Options options{
      .matching = matching.options,
      .directions = spec.word<Directions>(
          "directions", {{"rademacher", Directions::rademacher}, {"gaussian", Directions::gaussian}}),
      .projections = spec.integer("projections", 1),
      .norm = spec.word<SlicedNorm>("norm", {{"exact", SlicedNorm::exact}, {"sliced", SlicedNorm::sliced}})};
  return {std::make_shared<SlicedObjective>(options), matching.weighting};
}

ObjectiveChoice explicit_matching(Spec&, const ObjectiveRecipe& recipe) {
  const Matching matching(recipe);
  check(!recipe.labels,
        "objective explicit: it knows the law of the data without labels; leave out the label column");
  return {std::make_shared<ExplicitObjective>(recipe.data_law(), matching.options), matching.weighting};
}

ObjectiveChoice elbo(Spec& spec, const ObjectiveRecipe&) {
  using Variance = ElboOptions::Variance;
  const ElboOptions bound{.steps = spec.integer("steps", 0),
                          .variance = spec.word<Variance>("variance", {{"transition", Variance::transition},
                                                                       {"posterior", Variance::posterior}})};
  return {std::make_shared<ElboObjective>(ElboObjective::Options{.bound = bound})};
}

ObjectiveRegistry::Make chain(ChainObjective::Form form) {
  return [=](Spec& spec, const ObjectiveRecipe&) -> ObjectiveChoice {
    return {std::make_shared<ChainObjective>(
        ChainObjective::Options{.form = form, .steps = spec.integer("steps", 0)})};
  };
}

template <typename AtOneLevel>
ObjectiveChoice at_one_level(Spec& spec, const ObjectiveRecipe&) {
  return {std::make_shared<AtOneLevel>(spec.number("time", 0.3))};
}

ObjectiveRegistry& objectives() {
  using Form = ChainObjective::Form;
  static ObjectiveRegistry registry(
      "objective",
      {{"denoising", "denoising score matching across noise levels", denoising},
       {"implicit", "score matching by the exact divergence", implicit},
       {"sliced", "score matching by the divergence along random directions", sliced},
       {"explicit", "against the exact score of a known law", explicit_matching},
       {"elbo", "the evidence lower bound of the chain", elbo},
       {"path-likelihood", "the likelihood of the chain's path", chain(Form::path_likelihood)},
       {"mean-matching", "the chain's posterior means", chain(Form::mean_matching)},
       {"weighted-noise", "the same by the noise", chain(Form::weighted_noise)},
       {"simple", "the noise with weight 1 at each step of the chain", chain(Form::simple)},
       {"single-level", "denoising score matching at one time", at_one_level<DenoisingScoreMatching>},
       {"autoencoder", "the denoising autoencoder at one time", at_one_level<DenoisingAutoencoder>}});
  return registry;
}

}  // namespace

std::vector<std::string> objective_names() {
  return objectives().names();
}

std::vector<Description> objective_descriptions() {
  return objectives().descriptions({.objective = {},
                                    .weighting = "auto",
                                    .times = {},
                                    .denoising_weighting = "uniform",
                                    .labels = false,
                                    .event_shape = {2},
                                    .data_law = [] { return GaussianMixture::standard_normal(2); }});
}

void register_objective(const std::string& name,
                        std::function<ObjectiveChoice(Spec&, const ObjectiveRecipe&)> make,
                        const std::string& summary) {
  objectives().add({name, summary, std::move(make)});
}

ObjectiveChoice make_objective(const ObjectiveRecipe& recipe) try {
  ObjectiveChoice choice = objectives().make(recipe.objective, recipe);
  check(choice.weighting != "none" || recipe.weighting == "auto",
        "weighting: the objective {} has its own weights but received '{}'",
        Spec("objective", recipe.objective).name(), recipe.weighting);
  return choice;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
