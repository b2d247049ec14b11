#include "fokker/train/sample_given.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/train/rejection.h"

namespace fokker {
namespace {

void check_table(const Model& model) {
  check(model.table != nullptr,
        "given: expected a model of a table with a schema, which learned every column given any others");
}

/// Known cells of each group; with those that the conditions say.
KnownCells all_known(const Model& model, const GivenRows& given) {
  const int64_t columns = model.table->schema().size();
  KnownCells all;
  if (given.known.any()) {
    const Tensor &cells = given.known.cells, &known = given.known.known;
    check(cells.dim() == 2 && cells.size(1) == columns && known.sizes() == cells.sizes() &&
              (cells.size(0) == 1 || cells.size(0) == given.groups),
          "known cells: expected one or {} rows of {} columns but received {}", given.groups, columns,
          shape_string(cells));
    all = {cells.expand({given.groups, -1}).clone(), known.expand({given.groups, -1}).clone()};
  } else {
    all = {at::zeros({given.groups, columns}, at::TensorOptions(at::kDouble)),
           at::zeros({given.groups, columns}, at::TensorOptions(at::kBool))};
  }
  for (const ColumnCondition& condition : given.conditions) {
    check(condition.column >= 0 && condition.column < columns,
          "given: expected columns below {} but received {}", columns, condition.column);
    check(!all.known.select(1, condition.column).any().item<bool>(),
          "given: column '{}' is given twice: by its cells and by a condition",
          shown(model.table->schema().columns[static_cast<size_t>(condition.column)].name));
    if (!condition.is_exact()) continue;
    all.cells.select(1, condition.column).fill_(condition.values[0]);
    all.known.select(1, condition.column).fill_(true);
  }
  return all.known.any().item<bool>() ? all : KnownCells();
}

KnownCells repeated(const KnownCells& known, int64_t copies) {
  if (!known.any()) return {};
  return {known.cells.repeat_interleave(copies, 0), known.known.repeat_interleave(copies, 0)};
}

std::vector<std::string> labels_at(const std::vector<std::string>& labels, const Tensor& rows) {
  std::vector<std::string> some;
  for (int64_t i = 0; i < rows.size(0); ++i)
    some.push_back(labels[static_cast<size_t>(rows.data_ptr<int64_t>()[i])]);
  return some;
}

[[noreturn]] void refuse_rare(const GivenRows& given, const detail::RejectionDraws& draws) {
  const int64_t kept = draws.kept[draws.given_up].item<int64_t>();
  const int64_t drawn = draws.drawn[draws.given_up].item<int64_t>();
  fail(ErrorKind::failed,
       "given: {} of {} draws{} meet the conditions ({:.2g} %), fewer than 1 in 2,000, and rows are drawn "
       "until "
       "enough do: expected wider ranges, or single values, which cost nothing",
       kept, drawn, given.groups > 1 ? fmt::format(" of row {} (from 0)", draws.given_up) : "",
       100.0 * static_cast<double>(kept) / static_cast<double>(drawn));
}

/// Whether the network was taught of all columns that have missing cells: those of earlier versions were not.
bool can_be_told_of_missing(const TableMap& table) {
  const Tensor tells = table.layout().tells_missing();
  for (int64_t j = 0; j < tells.size(0); ++j)
    if (!table.schema().columns[static_cast<size_t>(j)].missing.empty() && !tells[j].item<bool>())
      return false;
  return true;
}

/// Each row given its known cells and that no other is missing, in parts that memory holds.
detail::RejectionDraws draw_present(const Model& model, const KnownCells& rows, int64_t draws, const Rng& rng,
                                    SampleOptions options, const std::function<void(int64_t)>& on_round) {
  const int64_t groups = rows.cells.size(0), n = groups * draws, most = detail::most_rows_of_round(model);
  options.known = repeated(rows, draws);
  options.known.present = options.known.known.logical_not();
  if (options.labels.size() > 1)
    options.labels =
        labels_at(options.labels, at::arange(groups, at::TensorOptions(at::kLong)).repeat_interleave(draws));
  std::vector<Tensor> cells;
  for (int64_t first = 0; first < n; first += most) {
    options.part = Share{first, std::min(most, n - first)};
    cells.push_back(sample_counted(model, n, rng, options).rows.values);
    if (on_round) on_round(first + options.part->count);
  }
  const Tensor counts = at::full({groups}, draws, at::TensorOptions(at::kLong));
  return {.cells = at::cat(cells), .kept = counts, .drawn = counts};
}

detail::RejectionDraws draw_until_present(const Model& model, const KnownCells& rows, int64_t draws,
                                          const Rng& rng, const SampleOptions& options,
                                          const std::function<void(int64_t)>& on_round) {
  const detail::Rejection wanted{
      .groups = rows.cells.size(0),
      .copies = draws,
      .known = rows,
      .keeps = [&](const Tensor& x,
                   const Tensor& group) { return (x.isfinite() | rows.known.index_select(0, group)).all(1); },
      .trial = 1000,
      .one_in = 200,
      .ends_when_given_up = false,
      .on_round = on_round};
  return detail::draw_by_rejection(model, wanted, rng, options);
}

}  // namespace

GivenSamples sample_given(const Model& model, const GivenRows& given, const Rng& rng,
                          const SampleOptions& asked) try {
  check_table(model);
  check(given.groups > 0 && given.copies > 0, "given: expected rows but received {} groups of {}",
        given.groups, given.copies);
  check(!asked.known.any(), "given: expected known cells among what is given, not among the options");
  SampleOptions options = asked;
  const KnownCells known = all_known(model, given);
  std::vector<ColumnCondition> open;
  for (const ColumnCondition& condition : given.conditions)
    if (!condition.is_exact()) open.push_back(condition);
  if (open.empty()) {
    options.known = repeated(known, given.copies);
    ModelSamples drawn = sample_counted(model, given.groups * given.copies, rng, options);
    const int64_t rows = drawn.rows.size();
    return {std::move(drawn.rows), drawn.evaluations, drawn.rejected, rows};
  }
  check(options.labels.size() <= 1, "labels: expected one of all rows beside ranges but received {}",
        options.labels.size());
  check(!options.start.defined() && options.observers.empty(),
        "given: ranges draw other rows than are kept: expected no start and no observers");
  const Schema& schema = model.table->schema();
  const detail::Rejection wanted{.groups = given.groups,
                                 .copies = given.copies,
                                 .known = known,
                                 .keeps =
                                     [&](const Tensor& cells, const Tensor&) {
                                       Tensor all = at::ones({cells.size(0)}, at::TensorOptions(at::kBool));
                                       for (const ColumnCondition& c : open)
                                         all &= c.holds(schema.columns[static_cast<size_t>(c.column)],
                                                        cells.select(1, c.column));
                                       return all;
                                     },
                                 .on_round = given.on_round};
  const detail::RejectionDraws draws = detail::draw_by_rejection(model, wanted, rng, options);
  if (draws.given_up >= 0) refuse_rare(given, draws);
  Dataset rows{.values = draws.cells, .columns = model.columns};
  rows.schema = model.schema();
  rows.format = model.format;
  if (!options.labels.empty()) {
    rows.labels =
        at::full({draws.cells.size(0)}, class_of(model, options.labels[0]), at::TensorOptions(at::kLong));
    rows.label_names = model.label_names;
    rows.label_column = model.label_column;
  }
  return {std::move(rows), draws.evaluations, draws.rejected, draws.drawn.sum().item<int64_t>()};
} catch (...) {
  detail::throw_as_error();
}

Imputation impute(const Model& model, const KnownCells& rows, int64_t draws, const Rng& rng,
                  const SampleOptions& asked, const std::function<void(int64_t kept)>& on_round) try {
  check_table(model);
  const int64_t columns = model.table->schema().size();
  check(draws > 0, "draws: expected draws > 0 but received {}", draws);
  check(rows.any() && rows.cells.dim() == 2 && rows.cells.size(1) == columns &&
            rows.known.sizes() == rows.cells.sizes(),
        "impute: expected rows of {} columns, and which of their cells are known", columns);
  const int64_t n = rows.cells.size(0);
  check(asked.labels.size() <= 1 || std::ssize(asked.labels) == n,
        "labels: expected one, or one of each of {} rows, but received {}", n, asked.labels.size());
  const Tensor cells = rows.cells.to(at::kDouble);
  Imputation result{.cells = cells.unsqueeze(0).repeat({draws, 1, 1}),
                    .filled = at::ones({n}, at::TensorOptions(at::kBool))};
  const Tensor open = rows.known.all(1).logical_not().nonzero().squeeze(1);
  if (open.size(0) == 0) return result;
  const KnownCells known{cells.index_select(0, open), rows.known.index_select(0, open)};
  SampleOptions options = asked;
  if (asked.labels.size() > 1) options.labels = labels_at(asked.labels, open);
  const detail::RejectionDraws drawn = can_be_told_of_missing(*model.table)
                                           ? draw_present(model, known, draws, rng, options, on_round)
                                           : draw_until_present(model, known, draws, rng, options, on_round);
  result.cells.index_copy_(1, open, drawn.cells.view({open.size(0), draws, columns}).transpose(0, 1));
  result.cells = at::where(rows.known.unsqueeze(0), cells.unsqueeze(0), result.cells);  // of rows given up
  result.filled.index_copy_(0, open, drawn.kept == draws);
  result.drawn = drawn.drawn.sum().item<int64_t>();
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
