#include "fokker/train/train.h"

#include "fokker/core/boundary.h"
#include "fokker/train/thread_count.h"

namespace fokker {

Model train(const Dataset& data, const Recipe& recipe, const Rng& rng) try {
  const detail::ThreadCount threads(recipe.threads);
  const TrainingPlan plan = resolve(data, recipe, rng);
  Trainer trainer = plan.trainer();
  trainer.run(recipe.hooks);
  if (auto best = plan.best_model(trainer)) return std::move(*best);
  return plan.model(trainer);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
