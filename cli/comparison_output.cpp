#include "cli/comparison_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fokker::cli {
namespace {

using Names = std::vector<std::string>;

constexpr size_t most_columns_listed = 1024, columns_shown = 8;

template <typename T>
Json as_json(const Tensor& tensor) {
  if (tensor.dim() == 0) return tensor.item<T>();
  Json array = Json::array();
  for (int64_t i = 0; i < tensor.size(0); ++i) array.push_back(as_json<T>(tensor[i]));
  return array;
}

std::string name_of(const Names& names, int64_t column) {
  return column < static_cast<int64_t>(names.size()) ? names[static_cast<size_t>(column)]
                                                     : fmt::format("column {}", column + 1);
}

/// The columns by how far apart they are, the farthest first.
std::vector<ColumnDifference> strongest_columns(const Verdict& v) {
  std::vector<ColumnDifference> columns = v.by_column;
  std::stable_sort(columns.begin(), columns.end(), [](const auto& a, const auto& b) {
    return std::pair(a.p_value, -a.distance) < std::pair(b.p_value, -b.distance);
  });
  return columns;
}

Json columns_json(const Verdict& v, const Names& names) {
  std::vector<ColumnDifference> listed = v.by_column;
  if (listed.size() > most_columns_listed) {  // pixels: those that differ most
    listed = strongest_columns(v);
    listed.resize(most_columns_listed);
  }
  Json json = Json::array();
  for (const ColumnDifference& c : listed)
    json.push_back({{"column", name_of(names, c.column)},
                    {"p_value", c.p_value},
                    {"kind", c.kind},
                    {"kolmogorov_smirnov", c.distance},
                    {"repeated_samples", c.repeated_samples},
                    {"repeated_reference", c.repeated_reference}});
  return json;
}

Json tests_json(const Verdict& v, const Names& names) {
  Json pairs = Json::array();
  for (const PairDifference& p : v.strongest_pairs)
    pairs.push_back(
        {{"first", name_of(names, p.first)}, {"second", name_of(names, p.second)}, {"p_value", p.p_value}});
  Json json = {{"energy", {{"p_value", v.energy}}},
               {"columns", {{"p_value", v.columns}, {"tested", v.by_column.size()}}},
               {"repeated_rows", {{"p_value", v.repeated_rows}}}};
  if (v.pairs_tested > 0)
    json["pairs"] = {{"p_value", v.pairs},
                     {"tested", v.pairs_tested},
                     {"possible", v.pairs_possible},
                     {"strongest", pairs}};
  if (v.classifier) json["classifier"] = {{"p_value", *v.classifier}};
  return json;
}

void add_modes(const ModeStatistics& modes, Json& json) {
  json["mode_weights"] = as_json<double>(modes.weights);
  json["mode_weights_expected"] = as_json<double>(modes.expected);
  json["mode_counts"] = as_json<int64_t>(modes.counts);
  json["mode_means"] = as_json<double>(modes.means);
  if (modes.covariances.defined()) json["mode_covariances"] = as_json<double>(modes.covariances);
}

std::string modes_text(const ModeStatistics& modes) {
  std::string text;
  for (int64_t k = 0; k < modes.weights.size(0); ++k) {
    std::string mean;
    for (int64_t i = 0; i < std::min<int64_t>(modes.means.size(1), 8); ++i)
      mean += fmt::format("{}{:.4g}", i ? ", " : "", modes.means[k][i].item<double>());
    text += fmt::format("mode {:<3} weight {:.4f} (expected {:.4f}), mean ({})\n", k,
                        modes.weights[k].item<double>(), modes.expected[k].item<double>(), mean);
  }
  return text;
}

/// "all 4000 samples and 20000 of the reference", or how many at random.
std::string rows_text(const Comparison& c) {
  const Verdict& v = c.verdict;
  const auto part = [](int64_t used, int64_t all) {
    return used == all ? fmt::format("all {}", all) : fmt::format("{} at random of {}", used, all);
  };
  return fmt::format("{} samples and {} rows of the reference", part(v.samples, c.samples),
                     part(v.reference, c.reference));
}

std::string tests_text(const Comparison& c, const Names& names) {
  const Verdict& v = c.verdict;
  std::string text = fmt::format(
      "verdict              p = {:.4g}: {} (the strictest of the tests below, corrected for their number; "
      "{}; {} "
      "relabellings)\n",
      v.p_value, v.p_value < 0.01 ? "told apart by " + v.decided_by : "not told apart", rows_text(c),
      v.relabellings);
  text +=
      fmt::format("  energy distance    p = {:.4g}\n  columns            p = {:.4g}\n", v.energy, v.columns);
  size_t shown = 0;
  for (const ColumnDifference& column : strongest_columns(v))
    if (column.p_value < 0.05 && shown++ < columns_shown)
      text += fmt::format(
          "    {}: {}, p = {:.4g}; distribution functions differ by {:.3f}; repeated values {:.1f} % and "
          "{:.1f} %\n",
          name_of(names, column.column), column.kind, column.p_value, column.distance,
          100 * column.repeated_samples, 100 * column.repeated_reference);
  if (v.pairs_tested > 0) {
    text += fmt::format("  pairs of columns   p = {:.4g} ({} of {})\n", v.pairs, v.pairs_tested,
                        v.pairs_possible);
    for (const PairDifference& pair : v.strongest_pairs)
      if (pair.p_value < 0.05 && &pair < &v.strongest_pairs.front() + columns_shown)
        text += fmt::format("    {} and {}, p = {:.4g}\n", name_of(names, pair.first),
                            name_of(names, pair.second), pair.p_value);
  }
  text += fmt::format("  repeated rows      p = {:.4g}\n", v.repeated_rows);
  if (v.classifier) text += fmt::format("  classifier         p = {:.4g}\n", *v.classifier);
  return text;
}

std::string classifier_text(const Comparison& c) {
  if (!c.classifier) return "classifier accuracy  not measured: expected at least 4 rows in each set\n";
  return fmt::format(
      "classifier accuracy  {:.4f} (0.5 means indistinguishable; standard error {:.4f}; by {} on {} rows of "
      "each)\n",
      c.classifier->accuracy, c.classifier->standard_error, c.classifier->rule, c.classifier->rows);
}

std::string copies_text(const Comparison& c) {
  if (!c.copies.beyond_chance) return "";
  return fmt::format(
      "copies               {} of the samples are rows of the reference ({:.4g} by chance): the two sets are "
      "no "
      "independent draws; the classifier counts each once, and the tests' p-values are too large\n",
      c.copies.rows, c.copies.expected);
}

std::string far_text(const Comparison& c) {
  if (c.far.rows == 0) return "";
  return fmt::format(
      "far away             {} of the samples, the first of them row {} (of 1 to {}), up to {:.2g} units "
      "from the reference: they rule distances and moments; the tests count them as {:.0g} away\n",
      c.far.rows, c.far.first + 1, c.samples, c.far.largest, FarRows::limit);
}

std::string energy_text(const Comparison& c) {
  if (std::isnan(c.energy_distance)) return "not resolved beside rows so far away";
  return fmt::format("{:.5g}", c.energy_distance);
}

}  // namespace

Json comparison_json(const Comparison& c, const Names& names) {
  const auto used = [](int64_t rows, int64_t all) { return std::min(rows, all); };
  Json json = {
      {"samples", c.samples},
      {"reference", c.reference},
      {"dimension", c.dimension},
      {"energy_distance", c.energy_distance},
      {"mmd", c.mmd},
      {"mmd_bandwidth", c.mmd_bandwidth},
      {"sliced_wasserstein", c.sliced_wasserstein},
      {"c2st_accuracy", nullptr},
      {"c2st_standard_error", nullptr},
      {"mean_error", c.mean_error},
      {"covariance_error", c.covariance_error},
      {"mean_error_relative", c.mean_error_relative},
      {"covariance_error_relative", c.covariance_error_relative},
      {"p_value", c.verdict.p_value},
      {"decided_by", c.verdict.decided_by},
      {"tests", tests_json(c.verdict, names)},
      {"tested_samples", c.verdict.samples},
      {"tested_reference", c.verdict.reference},
      {"relabellings", c.verdict.relabellings},
      {"columns", columns_json(c.verdict, names)},
      {"far_samples", c.far.rows},
      {"copies", c.copies.rows},
      {"copies_by_chance", c.copies.expected},
      {"scaled", c.scaled},
      {"unit", c.unit == DistanceUnit::common ? "common" : "column"},
      {"rows_used",
       {{"energy_distance", {used(c.energy_rows, c.samples), used(c.energy_rows, c.reference)}},
        {"mmd", {used(c.mmd_rows, c.samples), used(c.mmd_rows, c.reference)}},
        {"sliced_wasserstein", {used(c.sliced_rows, c.samples), used(c.sliced_rows, c.reference)}}}}};
  if (c.classifier) {
    json["c2st_accuracy"] = c.classifier->accuracy;
    json["c2st_standard_error"] = c.classifier->standard_error;
    json["c2st_rule"] = c.classifier->rule;
    json["rows_used"]["c2st"] = {c.classifier->rows, c.classifier->rows};
  }
  if (c.modes) add_modes(*c.modes, json);
  return json;
}

std::string comparison_text(const Comparison& c, const Names& names, bool distances) {
  const std::string unit =
      c.unit == DistanceUnit::common ? "mean deviations of all columns" : "standard deviations";
  std::string text = fmt::format("{} samples against {} of the reference, dimension {}\n", c.samples,
                                 c.reference, c.dimension);
  text += far_text(c) + tests_text(c, names) + copies_text(c) + classifier_text(c);
  if (distances)
    text += fmt::format(
        "energy distance      {}\nMMD (squared)        {:.5g}\nsliced Wasserstein   {:.5g}\n"
        "mean error           {:.5g} ({:.4g} {})\ncovariance error     {:.5g} ({:.4g} relative)\n",
        energy_text(c), c.mmd, c.sliced_wasserstein, c.mean_error, c.mean_error_relative, unit,
        c.covariance_error, c.covariance_error_relative);
  if (c.modes && c.modes->weights.size(0) <= 32) text += modes_text(*c.modes);
  return text;
}

}  // namespace fokker::cli
