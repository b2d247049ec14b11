#include "cli/table_evaluation.h"

#include <algorithm>
#include <limits>

#include "cli/comparison_output.h"
#include "cli/table_output.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/data/csv/table_csv.h"

namespace fokker::cli {
namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

Dataset with_notes(const std::string& file, Dataset data) {
  for (const std::string& note : data.notes) message_once(fmt::format("{}: {}", file, note));
  for (const std::string& doubt : data.doubts) warn_once(fmt::format("{}: {}", file, doubt));
  return data;
}

/// The columns that are compared: those chosen by hand, or those of the samples where they have fewer.
std::vector<std::string> compared_columns(const ColumnNames& samples, const ColumnNames& reference,
                                          const LoadOptions& reading) {
  if (!reading.columns.empty() || samples.names.size() >= reference.names.size()) return reading.columns;
  const bool known = std::all_of(samples.names.begin(), samples.names.end(), [&](const std::string& name) {
    return std::find(reference.names.begin(), reference.names.end(), name) != reference.names.end();
  });
  return known ? samples.names : reading.columns;
}

/// Of names that are compared those that a known schema has: it says which columns there are.
std::vector<std::string> without_others(std::vector<std::string> names, const LoadOptions& reading) {
  if (!reading.schema || !reading.columns.empty()) return names;
  const auto known = reading.schema->names();
  std::erase_if(names, [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) == known.end();
  });
  return names;
}

/// That the table with more columns has all of the other's, as load_pair asks.
void check_columns(const std::string& file, const ColumnNames& names, const std::string& other,
                   const ColumnNames& of_other) {
  const bool fewer = of_other.names.size() <= names.names.size();
  match_columns(fewer ? file : other, fewer ? names : of_other,
                {.owner = fewer ? other : file, .names = fewer ? of_other.names : names.names});
}

TableFile load_by_schema(const std::string& file, const Dataset& reference, const LoadOptions& reading) {
  TableFile table = load_table(file, {.format = reading.csv,
                                      .columns = reading.columns,
                                      .schema = reference.schema,
                                      .accept_missing = true,
                                      .count_impossible = true});
  table.data = with_notes(file, std::move(table.data));
  return table;
}

void check_table_rows(const Dataset& data, const std::string& file) {
  check_input(data.size() >= 2, "{}: expected at least 2 rows to compare but it has {}", file, data.size());
}

/// Cells as numbers: a missing one is below all that its column has.
Tensor as_numbers(const Tensor& cells, const Schema& schema) {
  std::vector<Tensor> columns;
  for (int64_t c = 0; c < schema.size(); ++c) {
    const Column& column = schema.columns[static_cast<size_t>(c)];
    const double below = column.has_levels() ? -1 : column.low - std::max(1.0, column.high - column.low);
    columns.push_back(at::nan_to_num(cells.select(1, c), below));
  }
  return at::stack(columns, 1);
}

/// The columns of numbers, of the rows that have them all.
Tensor complete_numbers(const Tensor& cells, const std::vector<int64_t>& numbers) {
  const Tensor values = cells.index_select(1, at::tensor(numbers, at::kLong));
  return values.index_select(0, at::nonzero(at::isnan(values).any(1).logical_not()).squeeze(1));
}

/// Distances and moments of the columns of numbers, or NaN.
Comparison compare_numbers(const TableSets& sets, const std::vector<int64_t>& numbers, uint64_t seed,
                           const Ranks& ranks) {
  Comparison none;
  none.energy_distance = none.mmd = none.mmd_bandwidth = none.sliced_wasserstein = none.mean_error =
      none.covariance_error = none.mean_error_relative = none.covariance_error_relative = no_number;
  if (numbers.empty()) return none;
  const Tensor x = complete_numbers(sets.samples.values, numbers);
  const Tensor y = complete_numbers(sets.reference.values, numbers);
  if (x.size(0) < 2 || y.size(0) < 2) return none;
  // The tests are those of all columns.
  return compare(
      x, y,
      {.seed = seed, .classifier_rows = 8, .test_rows = 50, .relabellings = 19, .modes = {}, .ranks = ranks});
}

/// The tests of all columns, beside the distances of numbers.
Comparison compare_typed(const TableSets& sets, const std::vector<int64_t>& numbers, uint64_t seed,
                         const Ranks& ranks) {
  const Schema& schema = *sets.reference.schema;
  const Comparison all =
      compare(as_numbers(sets.samples.values, schema), as_numbers(sets.reference.values, schema),
              {.seed = seed,
               .energy_rows = 50,
               .mmd_rows = 50,
               .sliced_rows = 50,
               .projections = 1,
               .modes = {},
               .ranks = ranks});
  Comparison result = compare_numbers(sets, numbers, seed, ranks);
  result.samples = all.samples;
  result.reference = all.reference;
  result.dimension = all.dimension;
  result.verdict = all.verdict;
  result.classifier = all.classifier;
  result.classifier_rows = all.classifier_rows;
  result.copies = all.copies;
  return result;
}

TableComparison compare_sets(const TableSets& sets, const Schema& schema, const std::string& target,
                             uint64_t seed, const Ranks& ranks) {
  TableCompareOptions options{.seed = seed, .ranks = ranks};
  if (!target.empty()) {
    check(sets.held_out.has_value(), "target: expected --held-out FILE, real rows in which it is predicted");
    options.target = schema.find(target);
  }
  return compare_tables(sets.samples.values, sets.reference.values,
                        sets.held_out ? sets.held_out->values : Tensor(), schema, options);
}

/// Cells that were read as missing ones are what they were.
void count_unreadable(TableFigures& figures, const std::vector<int64_t>& unreadable, const Schema& schema) {
  for (size_t c = 0; c < unreadable.size(); ++c) {
    figures.impossible[c].unreadable = unreadable[c];
    if (schema.columns[c].missing.empty()) figures.impossible[c].missing -= unreadable[c];
  }
}

}  // namespace

TypedTables load_typed_tables(const std::string& samples, const std::string& reference,
                              const std::string& held_out, const LoadOptions& reading) {
  const auto of_samples = table_columns(samples, reading), of_reference = table_columns(reference, reading);
  if (!of_samples || !of_reference) return {};
  if (reading.columns.empty() && !reading.schema)
    check_columns(reference, *of_reference, samples, *of_samples);
  TableFile known = load_table(
      reference, {.format = reading.csv,
                  .columns = without_others(compared_columns(*of_samples, *of_reference, reading), reading),
                  .schema = reading.schema,
                  .wishes = reading.wishes});
  if (!known.data.schema) return {.plain_columns = std::move(known.data.columns)};
  TableSets sets{.samples = {}, .reference = with_notes(reference, std::move(known.data))};
  TableFile drawn = load_by_schema(samples, sets.reference, reading);
  sets.samples = std::move(drawn.data);
  sets.unreadable = std::move(drawn.impossible);
  check_table_rows(sets.samples, samples);
  check_table_rows(sets.reference, reference);
  if (held_out.empty()) return {.sets = std::move(sets)};
  check(table_columns(held_out, reading).has_value(),
        "held-out: expected a CSV file, as the reference is one");
  TableFile real = load_by_schema(held_out, sets.reference, reading);
  sets.held_out = std::move(real.data);
  sets.unreadable_held_out = std::move(real.impossible);
  return {.sets = std::move(sets)};
}

TableEvaluation evaluate_typed_tables(const TableSets& sets, const std::string& target, uint64_t seed,
                                      const Ranks& ranks) {
  const Schema& schema = *sets.reference.schema;
  std::vector<int64_t> numbers;
  std::vector<std::string> names;
  for (int64_t c = 0; c < schema.size(); ++c)
    if (const Column& column = schema.columns[static_cast<size_t>(c)]; column.is_number()) {
      numbers.push_back(c);
      names.push_back(column.name);
    }
  TableComparison tables = compare_sets(sets, schema, target, seed, ranks);
  count_unreadable(tables.samples, sets.unreadable, schema);
  if (tables.held_out) count_unreadable(*tables.held_out, sets.unreadable_held_out, schema);
  const Comparison tests = compare_typed(sets, numbers, seed, ranks);
  TableEvaluation result{.json = comparison_json(tests, schema.names()), .text = table_text(tables, schema)};
  result.json.update(table_json(tables, schema));
  result.json["compared_columns"] = schema.names();
  result.json["number_columns"] = names;
  result.text += comparison_text(tests, schema.names(), !std::isnan(tests.mmd));
  return result;
}

TableEvaluation evaluate_plain_tables(const TableSets& sets, const std::string& target, uint64_t seed,
                                      const Ranks& ranks) {
  Schema schema;
  const auto names = sets.reference.columns.empty() ? default_column_names(sets.reference.values.size(1))
                                                    : sets.reference.columns;
  for (const std::string& name : names)
    schema.columns.push_back({.name = name,
                              .kind = ColumnKind::real,
                              .low = -std::numeric_limits<double>::infinity(),
                              .high = std::numeric_limits<double>::infinity()});
  const TableComparison tables = compare_sets(sets, schema, target, seed, ranks);
  return {.json = table_json(tables, schema), .text = table_text(tables, schema)};
}

}  // namespace fokker::cli
