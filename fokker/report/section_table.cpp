#include "fokker/core/random/permutation.h"
#include "fokker/evaluate/table/table_comparison.h"
#include "fokker/report/sections.h"
#include "fokker/train/sample_model.h"

// What the kinds of a table's columns ask for: that nothing impossible is drawn, and how near columns, pairs
// and whole rows come.

namespace fokker::report {
namespace {

constexpr int64_t kMostRows = 5000;
constexpr int64_t kMostStoredRows = 100'000;  // of training rows that stay on disk

/// The training rows that samples are compared with: all, or some of those that stay on disk.
int64_t training_rows(const Dataset& training) {
  return training.stored ? std::min(training.size(), kMostStoredRows) : training.size();
}
constexpr size_t kWorstPairs = 10;

std::string per_cent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

Tensor some_rows(const Dataset& data, int64_t most, const Rng& rng) {
  if (data.size() <= most) return data.block(0, data.size());
  return data.rows(RowOrder(rng, data.size()).rows(0, most));
}

TableComparison compare_rows(const Material& m) {
  const Rng rng = Rng(m.options.seed).stream("table section");
  const Split& data = *m.run.data;
  const int64_t n = std::min(data.training.size(), kMostRows);
  SampleOptions options;
  if (m.run.model.condition.any()) options.conditions = conditions_of_rows(m.run.model, data.training, n);
  const Tensor samples = sample(m.run.model, n, rng, options).values;
  const Tensor held_out = data.held_out.size() > 1 ? some_rows(data.held_out, kMostRows, rng) : Tensor();
  const Tensor training = some_rows(data.training, training_rows(data.training), rng.stream("training"));
  return compare_tables(samples, training, held_out, m.run.model.table->schema(), {.seed = m.options.seed});
}

/// A figure of samples, and the same of held-out rows where there are any.
std::vector<std::string> beside(const std::string& name, const TableComparison& c,
                                const std::function<std::string(const TableFigures&)>& of) {
  std::vector<std::string> row{name, of(c.samples)};
  if (c.held_out) row.push_back(of(*c.held_out));
  return row;
}

std::string rows_text(const Dataset& training) {
  const int64_t rows = training_rows(training);
  if (rows == training.size()) return "the training rows";
  return fmt::format("{} of the {} training rows", thousands(rows), thousands(training.size()));
}

Table figures_table(const Material& m, const TableComparison& c) {
  Table table{.caption = "Samples against " + rows_text(m.run.data->training),
              .columns = {"Figure", fmt::format("{} samples", thousands(c.samples.rows))}};
  if (c.held_out) table.columns.push_back(fmt::format("{} held-out rows", thousands(c.held_out->rows)));
  table.rows = {beside("Error of columns (shape)", c, [](const auto& f) { return per_cent(f.shape.mean); }),
                beside("Error of pairs (trend)", c, [](const auto& f) { return per_cent(f.trend.mean); }),
                beside("Told apart by boosted trees (area, 0.5 is best)", c,
                       [](const auto& f) {
                         return f.detection ? fmt::format("{:.3f} ± {:.3f}", f.detection->auc,
                                                          f.detection->standard_error)
                                            : std::string("too few rows");
                       }),
                beside("Impossible cells", c, [](const auto& f) { return thousands(f.impossible_total()); })};
  std::vector<std::string> copies{"Copies of training rows", thousands(c.privacy.copies)};
  if (c.held_out) copies.push_back(fmt::format("{:.1f} in as many", c.privacy.copies_expected));
  table.rows.push_back(copies);
  return table;
}

Table columns_table(const Material& m, const TableComparison& c) {
  const Schema& schema = m.run.model.table->schema();
  Table table{.caption = "Columns: Kolmogorov and Smirnov's distance of numbers, total variation of levels",
              .columns = {"Column", "Kind", "Error", "Impossible cells"}};
  for (size_t j = 0; j < schema.columns.size(); ++j)
    table.rows.push_back({m.names[j], std::string(to_string(schema.columns[j].kind)),
                          per_cent(c.samples.shape.columns[j].error),
                          thousands(c.samples.impossible[j].total())});
  return table;
}

Table pairs_table(const Material& m, const TableComparison& c) {
  Table table{.caption = "The pairs of columns that come least near", .columns = {"Pair", "Error"}};
  for (const PairTrend& pair : c.samples.trend.worst)
    if (table.rows.size() < kWorstPairs)
      table.rows.push_back({fmt::format("{} and {}", m.names[static_cast<size_t>(pair.first)],
                                        m.names[static_cast<size_t>(pair.second)]),
                            per_cent(pair.error)});
  return table;
}

}  // namespace

void add_table(Page& page, const Material& m, Json& summary) {
  if (!m.run.model.table || !m.run.data || m.run.data->training.size() < kFewestCompared) return;
  const TableComparison c = compare_rows(m);
  page.section("Columns and pairs").table(figures_table(m, c)).table(columns_table(m, c));
  if (!c.samples.trend.worst.empty()) page.table(pairs_table(m, c));
  summary["table"] = {{"shape_error", c.samples.shape.mean},
                      {"trend_error", c.samples.trend.mean},
                      {"copies", c.privacy.copies},
                      {"impossible", c.samples.impossible_total()}};
  if (c.samples.detection) summary["table"]["detection_auc"] = c.samples.detection->auc;
}

}  // namespace fokker::report
