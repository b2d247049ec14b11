#include "fokker/train/posterior_draws.h"

#include <algorithm>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

/// Of vectors beside events.
PosteriorDraws of_events(const Model& model, const Dataset& rows, int64_t draws, const Rng& rng,
                         SampleOptions options) {
  const int64_t n = rows.size();
  check(rows.conditions.defined(), "posterior_draws: expected rows with the conditions {}",
        join(model.condition.columns));
  options.conditions = rows.conditions.repeat_interleave(draws, 0);
  const Tensor values = sample(model, n * draws, rng, options).values;
  return {rows.values.to(at::kDouble), values.view({n, draws, -1}), model.columns};
}

/// Of cells, some of which are known.
PosteriorDraws of_cells(const Model& model, const Dataset& rows, int64_t draws, const Rng& rng,
                        SampleOptions options, const std::vector<std::string>& names) {
  const Schema& schema = model.table->schema();
  const int64_t n = rows.size(), columns = schema.size();
  Tensor known = at::zeros({columns}, at::TensorOptions(at::kBool));
  for (const std::string& name : names) known[schema.find(name)] = true;
  std::vector<int64_t> others;
  PosteriorDraws result;
  for (int64_t j = 0; j < columns; ++j)
    if (!known[j].item<bool>()) {
      others.push_back(j);
      result.columns.push_back(schema.columns[static_cast<size_t>(j)].name);
    }
  check(!others.empty(), "given: all columns are: expected at least one that is drawn");
  options.known = {rows.values.repeat_interleave(draws, 0), known.unsqueeze(0).expand({n * draws, -1})};
  const Tensor rest = at::tensor(others, at::kLong);
  result.truth = rows.values.index_select(1, rest);
  result.draws = sample(model, n * draws, rng, options).values.index_select(1, rest).view({n, draws, -1});
  return result;
}

}  // namespace

PosteriorDraws posterior_draws(const Model& model, const Dataset& rows, int64_t draws, const Rng& rng,
                               const SampleOptions& options, const std::vector<std::string>& given) try {
  check(draws > 0, "draws: expected draws > 0 but received {}", draws);
  check(!model.is_image(), "posterior_draws: expected a model of a table but received one of images");
  check(rows.size() > 0, "posterior_draws: expected rows but received none");
  const auto& condition = model.condition.columns;
  check(model.condition.any() || (model.table && !given.empty()),
        "given: the model is conditioned on nothing: expected columns of a table with a schema, or a model "
        "with "
        "conditions");
  check(given.empty() || model.table || given == condition,
        "given: the model is conditioned on {} but received {}", join(condition), join(given));
  if (!model.table) return of_events(model, rows, draws, rng, options);
  return of_cells(model, rows, draws, rng, options, given.empty() ? condition : given);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
