// What ranks have in common before they train together.
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/train/problem.h"
#include "fokker/train/trainer.h"

namespace fokker {

void Trainer::check_shared_problem() const {
  const Ranks& ranks = options_.ranks;
  const Json own = problem(), of_root = ranks.broadcast(own);
  const auto found = ranks.gather(differences(of_root, own));
  for (size_t rank = 0; rank < found.size(); ++rank)
    check_input(found[rank].empty(), "rank {} has other settings or data than rank 0: {}", rank,
                join(found[rank].get<std::vector<std::string>>()));
}

void Trainer::share_state() try {
  const Ranks& ranks = options_.ranks;
  if (ranks.alone()) return;
  check_shared_problem();
  Json state = {{"step", step_},
                {"loaded_step", loaded_step_},
                {"seconds", seconds_},
                {"watch", watch_.to_json()},
                {"untold", untold_.to_json()},
                {"incidents", incidents_.to_json()},
                {"best_weights", best_weights_.defined()}};
  if (best_) state["best"] = best_->to_json();
  state = ranks.broadcast(state);
  step_ = state["step"];
  loaded_step_ = state["loaded_step"];
  seconds_ = state["seconds"];
  watch_ = LossWatch::from_json(state["watch"]);
  untold_ = UntoldSteps::from_json(state["untold"]);
  incidents_ = Incidents::from_json(state["incidents"]);
  if (state.contains("best")) best_ = BestHeldOut::from_json(state["best"]);
  const GradientMode no_gradients(false);
  if (state["best_weights"].get<bool>() && !best_weights_.defined())
    best_weights_ = at::empty_like(averages_->values());
  std::vector<Tensor> shared;
  for (const auto& [name, kept] : kept_tensors()) shared.push_back(kept);
  if (state["best_weights"].get<bool>()) shared.push_back(best_weights_);
  for (const Tensor& kept : shared) {
    const Tensor here = kept.cpu();
    ranks.broadcast(here);
    if (!here.is_alias_of(kept)) kept.copy_(here);
  }
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
