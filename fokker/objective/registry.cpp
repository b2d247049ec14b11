#include "fokker/objective/registry.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/spec.h"
#include "fokker/core/text/text.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/denoising.h"
#include "fokker/objective/elbo.h"
#include "fokker/objective/explicit.h"
#include "fokker/objective/implicit.h"
#include "fokker/objective/single_level.h"

namespace fokker {
namespace {

/// An exact divergence takes one derivative for each number of a row.
constexpr int64_t most_derivatives = 256;

template <typename Value>
Value choice(Spec& spec, const std::string& key, const std::vector<std::pair<std::string, Value>>& values) {
  const std::string text = spec.text(key, values[0].first);
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    if (name == text) return value;
    names.push_back(name);
  }
  fail(ErrorKind::argument, "objective {}: {}: expected one of {} but received '{}'", spec.name(), key,
       join(names), text);
}

/// An objective across noise levels with a weighting.
std::shared_ptr<const Objective> weighted(Spec& spec, const ObjectiveRecipe& recipe,
                                          const std::string& weighting) {
  const ScoreMatchingOptions matching{.weighting = Weighting::from_name(weighting), .times = recipe.times};
  if (spec.name() == "denoising")
    return std::make_shared<DenoisingObjective>(
        DenoisingObjective::Options{.weighting = matching.weighting, .times = recipe.times});
  if (spec.name() == "implicit") {
    int64_t dimension = 1;
    for (int64_t size : recipe.event_shape) dimension *= size;
    check(dimension <= most_derivatives,
          "objective implicit: expected at most {} numbers per row, as each costs a derivative, but received "
          "{}; use sliced",
          most_derivatives, dimension);
    return std::make_shared<ImplicitObjective>(matching);
  }
  if (spec.name() == "explicit") {
    check(!recipe.labels,
          "objective explicit: it knows the law of the data without labels; leave out the label column");
    return std::make_shared<ExplicitObjective>(recipe.data_law(), matching);
  }
  using Directions = SlicedObjective::Directions;
  return std::make_shared<SlicedObjective>(SlicedObjective::Options{
      .matching = matching,
      .directions = choice<Directions>(
          spec, "directions", {{"rademacher", Directions::rademacher}, {"gaussian", Directions::gaussian}}),
      .projections = spec.integer("projections", 1),
      .norm =
          choice<SlicedNorm>(spec, "norm", {{"exact", SlicedNorm::exact}, {"sliced", SlicedNorm::sliced}})});
}

std::shared_ptr<const Objective> chain(Spec& spec, ChainObjective::Form form) {
  return std::make_shared<ChainObjective>(
      ChainObjective::Options{.form = form, .steps = spec.integer("steps", 0)});
}

/// An objective whose weights belong to its definition.
std::shared_ptr<const Objective> unweighted(Spec& spec) {
  const std::string& name = spec.name();
  using Form = ChainObjective::Form;
  if (name == "elbo") {
    using Variance = ElboOptions::Variance;
    return std::make_shared<ElboObjective>(ElboObjective::Options{
        .bound = {.steps = spec.integer("steps", 0),
                  .variance = choice<Variance>(
                      spec, "variance",
                      {{"transition", Variance::transition}, {"posterior", Variance::posterior}})}});
  }
  if (name == "path-likelihood") return chain(spec, Form::path_likelihood);
  if (name == "mean-matching") return chain(spec, Form::mean_matching);
  if (name == "weighted-noise") return chain(spec, Form::weighted_noise);
  if (name == "simple") return chain(spec, Form::simple);
  if (name == "single-level") return std::make_shared<DenoisingScoreMatching>(spec.number("time", 0.3));
  if (name == "autoencoder") return std::make_shared<DenoisingAutoencoder>(spec.number("time", 0.3));
  spec.unknown_name(objective_names());
}

}  // namespace

std::vector<std::string> objective_names() {
  return {"denoising",     "implicit",       "sliced", "explicit",     "elbo",       "path-likelihood",
          "mean-matching", "weighted-noise", "simple", "single-level", "autoencoder"};
}

ObjectiveChoice make_objective(const ObjectiveRecipe& recipe) try {
  Spec spec("objective", recipe.objective);
  const std::string& name = spec.name();
  ObjectiveChoice made;
  if (name == "denoising" || name == "implicit" || name == "sliced" || name == "explicit") {
    const std::string usual = name == "denoising" ? recipe.denoising_weighting : "simple";
    made.weighting = recipe.weighting == "auto" ? usual : recipe.weighting;
    made.objective = weighted(spec, recipe, made.weighting);
  } else {
    made.objective = unweighted(spec);
    check(recipe.weighting == "auto", "weighting: the objective {} has its own weights but received '{}'",
          name, recipe.weighting);
    made.weighting = "none";
  }
  spec.finish();
  return made;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
