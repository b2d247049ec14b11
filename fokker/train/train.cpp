#include "fokker/train/train.h"

#include "fokker/nn/mlp.h"
#include "fokker/nn/unet.h"
#include "fokker/objective/denoising.h"

namespace fokker {
namespace {

std::unique_ptr<Network> default_network(const Dataset& data, uint64_t seed) {
  const auto shape = data.event_shape();
  const int64_t classes = data.labels.defined() ? data.labels.max().item<int64_t>() + 1 : 0;
  if (data.is_images())
    return std::make_unique<UNet>(UNetOptions::for_images(shape[0], shape[1], shape[2], 0, classes), seed);
  return std::make_unique<Mlp>(
      MlpOptions{.dimension = shape[0], .width = 128, .depth = 3, .classes = classes, .time_scale = 10},
      seed);
}

}  // namespace

Model train(const Dataset& data, Recipe recipe, const Rng& rng) {
  Split parts = split(data, 1 - recipe.held_out, rng.stream("split"));
  Normalisation normalisation =
      data.is_images() ? Normalisation::pixels(data.event_shape(), data.values.scalar_type())
                       : Normalisation::fit(parts.training.values, NormalisationKind::standardise);
  if (!recipe.network) recipe.network = default_network(data, rng.seed());
  if (!recipe.objective) recipe.objective = std::make_shared<DenoisingObjective>();
  // A U-Net's time embedding is made for steps counted to 1000, as diffusers does.
  LearnedDenoiser::Options options;
  if (data.is_images()) options.time_input = {.scale = 1000, .offset = -1};
  Trainer trainer(std::move(recipe.network), recipe.process, recipe.prediction, options, recipe.objective,
                  std::move(parts), normalisation, recipe.options, rng);
  trainer.run(recipe.hooks);
  return {.network = trainer.averaged_network().clone(),
          .process = recipe.process,
          .prediction = recipe.prediction,
          .denoiser_options = options,
          .normalisation = normalisation,
          .columns = data.columns,
          .label_names = data.label_names,
          .training = {{"steps", trainer.step()}, {"seconds", trainer.seconds()}}};
}

}  // namespace fokker
