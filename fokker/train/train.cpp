#include "fokker/train/train.h"

#include "fokker/train/thread_count.h"

namespace fokker {

Model train(const Dataset& data, const Recipe& recipe, const Rng& rng) {
  const detail::ThreadCount threads(recipe.threads);
  const TrainingPlan plan = resolve(data, recipe, rng);
  Trainer trainer = plan.trainer();
  trainer.run(recipe.hooks);
  return plan.model(trainer);
}

}  // namespace fokker
