#include "fokker/train/train.h"

#include "fokker/core/boundary.h"
#include "fokker/data/labels.h"
#include "fokker/objective/denoising.h"
#include "fokker/train/defaults.h"

namespace fokker {
namespace {

std::shared_ptr<const Objective> default_objective(const GaussianProcess& process) {
  return std::make_shared<DenoisingObjective>(
      DenoisingObjective::Options{.weighting = Weighting::from_name(default_weighting(process)),
                                  .times = {.law = default_times(process)}});
}

}  // namespace

Model train(const Dataset& given, Recipe recipe, const Rng& rng) try {
  Dataset data = given;
  name_labels(data, data.source);
  Split parts = hold_out(data, recipe.held_out, rng.stream("split"));
  const Normalisation normalisation = default_normalisation(parts.training);
  const Prediction prediction = recipe.prediction.value_or(default_prediction(recipe.process));
  const auto options = default_denoiser_options(recipe.process, data.is_images());
  if (!recipe.network) recipe.network = default_network(data, rng.seed());
  if (!recipe.objective) recipe.objective = default_objective(recipe.process);
  const double spread = model_spread(parts.training, normalisation);
  Trainer trainer(std::move(recipe.network), recipe.process, prediction, options, recipe.objective,
                  std::move(parts), normalisation, recipe.options, rng);
  trainer.run(recipe.hooks);
  return {.network = trainer.averaged_network().clone(),
          .process = recipe.process,
          .prediction = prediction,
          .denoiser_options = options,
          .normalisation = normalisation,
          .columns = data.columns,
          .label_names = data.label_names,
          .label_column = data.label_column,
          .training = {{"steps", trainer.step()}, {"seconds", trainer.seconds()}, {"data_spread", spread}}};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
