#include "fokker/train/impute_numbers.h"

#include <map>

#include "fokker/condition/operator/operators.h"
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Rows by which of their columns are known: a text of 0 and 1.
std::map<std::string, std::vector<int64_t>> rows_by_pattern(const Tensor& known) {
  std::map<std::string, std::vector<int64_t>> groups;
  const Tensor flags = known.contiguous();
  const bool* flag = flags.data_ptr<bool>();
  for (int64_t row = 0; row < known.size(0); ++row) {
    std::string pattern;
    for (int64_t j = 0; j < known.size(1); ++j) pattern += *flag++ ? '1' : '0';
    groups[pattern].push_back(row);
  }
  return groups;
}

/// What is known of rows of that pattern; of those that know nothing a measurement that says nothing.
std::shared_ptr<const LinearMeasurement> measurement_of(const Normalisation& units, const Tensor& known,
                                                        const Tensor& cells) {
  std::shared_ptr<const LinearOperator> user;
  if (known.any().item<bool>())
    user = std::make_shared<MaskOperator>(known);
  else
    user = std::make_shared<MatrixOperator>(at::zeros({1, known.size(0)}, at::kDouble),
                                            std::vector<int64_t>{known.size(0)});
  const ModelOperator model = in_model_units(user, units);
  return std::make_shared<LinearMeasurement>(model.on_model, user->apply(cells) - model.offset, 0);
}

void check_numbers(const Model& model, const KnownCells& rows, int64_t draws) {
  check(!model.table && !model.is_image(),
        "impute_numbers: expected a model of plain numbers but received one of {}",
        model.is_image() ? "images" : "a table with a schema");
  const auto d = model.event_shape()[0];
  check(rows.any() && rows.cells.dim() == 2 && rows.cells.size(1) == d &&
            rows.known.sizes() == rows.cells.sizes(),
        "impute_numbers: expected cells of shape (n, {})", d);
  check(draws > 0, "impute_numbers: expected draws > 0 but received {}", draws);
}

/// What the network is told of those rows; undefined for nothing.
Tensor told_of(const Model& model, const std::vector<int64_t>& rows, const ImputeNumbersOptions& options,
               const at::TensorOptions& type) {
  if (options.conditions.defined())
    return model.condition
        .to_model(options.conditions.index_select(0, at::tensor(rows, at::kLong)),
                  c10::typeMetaToScalarType(type.dtype()))
        .to(type.device());
  if (options.labels.empty()) return {};
  std::vector<int64_t> classes;
  classes.reserve(rows.size());
  for (const int64_t row : rows) classes.push_back(class_of(model, options.labels[static_cast<size_t>(row)]));
  return at::tensor(classes, at::kLong);
}

void check_told(const Model& model, int64_t n, const ImputeNumbersOptions& options) {
  const Tensor& given = options.conditions;
  check(!given.defined() || model.condition.scale,
        "impute_numbers: the model was trained without conditions but received some");
  check(
      !given.defined() || (given.dim() == 2 && given.size(0) == n && given.size(1) == model.condition.size()),
      "impute_numbers: expected conditions of shape ({}, {}) but received {}", n, model.condition.size(),
      given.defined() ? shape_string(given) : "");
  check(options.labels.empty() || std::ssize(options.labels) == n,
        "impute_numbers: expected a label of each of {} rows but received {}", n, options.labels.size());
}

}  // namespace

Imputation impute_numbers(const Model& model, const KnownCells& rows, int64_t draws,
                          const PosteriorSampler& method, const Rng& rng,
                          const ImputeNumbersOptions& options) try {
  check_numbers(model, rows, draws);
  const int64_t n = rows.cells.size(0);
  check_told(model, n, options);
  const Tensor cells = at::where(rows.known, rows.cells, at::zeros_like(rows.cells));
  Imputation filled{cells.unsqueeze(0).repeat({draws, 1, 1}), at::ones({n}, at::kBool)};
  const auto& weight = model.network->parameters().front().tensor;
  const auto denoiser = model.denoiser();
  const TimeGrid grid = posterior_grid(denoiser->process(), options.steps);
  int64_t done = 0;
  for (const auto& [pattern, members] : rows_by_pattern(rows.known)) {
    if (pattern.find('0') == std::string::npos) continue;
    const Tensor index = at::tensor(members, at::kLong), known = rows.known[members[0]];
    const auto seen = measurement_of(model.normalisation, known, cells.index_select(0, index));
    PosteriorOptions run{.draws = draws,
                         .rng = rng,
                         .row_indices = index,
                         .block = options.batch,
                         .type = weight.options().requires_grad(false)};
    run.labels = told_of(model, members, options, run.type);
    if (options.progress) run.progress = [&](int64_t part) { options.progress(done + part); };
    const PosteriorSamples found = method.sample(*denoiser, *seen, grid, run);
    done += index.size(0) * draws;
    const Tensor values = model.to_user(found.x.flatten(0, 1)).to(at::kDouble).reshape(found.x.sizes());
    const Tensor merged = at::where(known, cells.index_select(0, index).unsqueeze(1), values);
    filled.cells.index_copy_(1, index, merged.transpose(0, 1));
  }
  filled.drawn = done;
  return filled;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
