#include "cli/table_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fokker::cli {
namespace {

constexpr size_t table_columns_shown = 8, table_pairs_shown = 5;

Json number_or_null(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

Json impossible_json(const ImpossibleCells& cells) {
  return {{"missing", cells.missing},     {"levels", cells.levels},     {"outside", cells.outside},
          {"fractions", cells.fractions}, {"decimals", cells.decimals}, {"unreadable", cells.unreadable},
          {"total", cells.total()}};
}

void add_figures(const TableFigures& f, Json& json) {
  json["shape_error"] = f.shape.mean;
  json["trend_error"] = number_or_null(f.trend.mean);
  json["trend_error_common_bins"] = number_or_null(f.trend.mean_in_common_bins);
  json["detection_auc"] = f.detection ? Json(f.detection->auc) : Json();
  json["detection_standard_error"] = f.detection ? Json(f.detection->standard_error) : Json();
  json["detection_rows"] = f.detection ? Json(f.detection->rows) : Json();
  json["impossible"] = f.impossible_total();
}

Json columns_of_table(const TableComparison& c, const Schema& schema) {
  Json list = Json::array();
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const ColumnShape& shape = c.samples.shape.columns[i];
    Json column = {
        {"column", schema.columns[i].name},    {"kind", to_string(schema.columns[i].kind)},
        {"shape_error", shape.error},          {"distance", shape.distance},
        {"missing_difference", shape.missing}, {"impossible", impossible_json(c.samples.impossible[i])}};
    if (c.held_out) column["shape_error_real"] = c.held_out->shape.columns[i].error;
    list.push_back(std::move(column));
  }
  return list;
}

Json pairs_of_table(const TrendErrors& trend, const Schema& schema) {
  Json worst = Json::array();
  for (const PairTrend& p : trend.worst)
    worst.push_back({{"first", schema.columns[static_cast<size_t>(p.first)].name},
                     {"second", schema.columns[static_cast<size_t>(p.second)].name},
                     {"error", p.error}});
  return {{"compared", trend.pairs}, {"rows", {trend.samples, trend.reference}}, {"worst", std::move(worst)}};
}

Json utility_json(const Utility& u, const Schema& schema) {
  return {{"target", schema.columns[static_cast<size_t>(u.target)].name},
          {"measure", u.measure},
          {"synthetic", u.synthetic},
          {"real", u.real},
          {"difference", u.synthetic - u.real},
          {"synthetic_standard_error", number_or_null(u.synthetic_error)},
          {"real_standard_error", number_or_null(u.real_error)},
          {"rows", u.rows},
          {"tested", u.tested}};
}

/// "  (0.52 % held out)": the same figure of held-out rows, where there are any.
std::string beside(const TableComparison& c, const std::string& real) {
  return c.held_out ? fmt::format("   held-out rows {}", real) : std::string();
}

std::string percent(double share) {
  return std::isnan(share) ? "not defined" : fmt::format("{:.2f} %", 100 * share);
}

std::string detection_figure(const TableFigures& f) {
  if (!f.detection) return "not measured below 10 rows";
  return fmt::format("{:.4f} ± {:.4f}", f.detection->auc, f.detection->standard_error);
}

std::string impossible_text(const ImpossibleCells& cells, const std::string& name) {
  std::string text;
  const auto add = [&](int64_t count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(cells.missing, "missing");
  add(cells.unreadable, "that it cannot hold");
  add(cells.levels, "of no level that it has");
  add(cells.outside, "outside of its range");
  add(cells.fractions, "not whole");
  add(cells.decimals, "with more decimals");
  return text.empty() ? text : fmt::format("    {}: {}\n", name, text);
}

std::string shapes_text(const TableComparison& c, const Schema& schema) {
  const auto& shapes = c.samples.shape.columns;
  std::vector<size_t> order(shapes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return shapes[a].error > shapes[b].error; });
  order.resize(std::min(order.size(), table_columns_shown));
  std::string text;
  for (const size_t i : order) {
    const Column& column = schema.columns[i];
    text += fmt::format("    {} ({}): {}", column.name, to_string(column.kind), percent(shapes[i].error));
    if (shapes[i].missing > 0)
      text += fmt::format(", missing cells differ by {}", percent(shapes[i].missing));
    text += beside(c, c.held_out ? percent(c.held_out->shape.columns[i].error) : "") + "\n";
  }
  return text;
}

std::string trends_text(const TableComparison& c, const Schema& schema) {
  std::string text;
  for (size_t i = 0; i < std::min(c.samples.trend.worst.size(), table_pairs_shown); ++i) {
    const PairTrend& p = c.samples.trend.worst[i];
    text += fmt::format("    {} and {}: {}\n", schema.columns[static_cast<size_t>(p.first)].name,
                        schema.columns[static_cast<size_t>(p.second)].name, percent(p.error));
  }
  return text;
}

std::string impossible_of(const TableComparison& c, const Schema& schema) {
  const int64_t total = c.samples.impossible_total();
  std::string text = fmt::format(
      "impossible cells     {}{}\n", total,
      beside(c, c.held_out ? fmt::format("{} (as many rows: {:.4g})", c.held_out->impossible_total(),
                                         static_cast<double>(c.held_out->impossible_total()) *
                                             static_cast<double>(c.samples.rows) /
                                             static_cast<double>(c.held_out->rows))
                           : ""));
  for (size_t i = 0; i < schema.columns.size(); ++i)
    text += impossible_text(c.samples.impossible[i], schema.columns[i].name);
  return text;
}

std::string privacy_text(const Privacy& p) {
  std::string text =
      fmt::format("copies               {} of the samples are rows of the reference ({:.4g} expected)\n",
                  p.copies, p.copies_expected);
  if (std::isnan(p.nearer_to_training)) return text;
  return text +
         fmt::format(
             "nearer to training   {:.4f} ± {:.4f} of {} samples (0.5 is best; {} rows of each searched)\n",
             p.nearer_to_training, p.nearer_standard_error, p.queries, p.searched);
}

std::string utility_text(const Utility& u, const Schema& schema) {
  return fmt::format(
      "utility              {} of '{}' {:.4f} learnt from the samples, {:.4f} from the reference ({} rows; "
      "tested "
      "on {})\n",
      u.measure == "auc" ? "AUC" : "R2", schema.columns[static_cast<size_t>(u.target)].name, u.synthetic,
      u.real, u.rows, u.tested);
}

}  // namespace

Json table_json(const TableComparison& c, const Schema& schema) {
  Json json = {
      {"samples", c.samples.rows},
      {"reference", c.reference},
      {"copies", c.privacy.copies},
      {"copies_expected", c.privacy.copies_expected},
      {"nearer_to_training", number_or_null(c.privacy.nearer_to_training)},
      {"nearer_to_training_standard_error", number_or_null(c.privacy.nearer_standard_error)},
      {"closest",
       {{"levels", closest_levels}, {"samples", c.privacy.closest}, {"real", c.privacy.closest_held_out}}},
      {"utility", c.utility ? utility_json(*c.utility, schema) : Json()},
      {"table_columns", columns_of_table(c, schema)},
      {"trend_pairs", pairs_of_table(c.samples.trend, schema)}};
  add_figures(c.samples, json);
  if (!c.held_out) return json;
  Json real = {{"rows", c.held_out->rows}};
  add_figures(*c.held_out, real);
  json["real"] = std::move(real);
  return json;
}

std::string table_text(const TableComparison& c, const Schema& schema) {
  std::string text = fmt::format("{} samples against {} of the reference, {} columns", c.samples.rows,
                                 c.reference, schema.size());
  if (c.held_out) text += fmt::format("; beside {} held-out rows", c.held_out->rows);
  text += fmt::format("\nshape error          {}{}\n", percent(c.samples.shape.mean),
                      beside(c, c.held_out ? percent(c.held_out->shape.mean) : ""));
  text += shapes_text(c, schema);
  text += fmt::format("trend error          {} over {} pairs{}\n", percent(c.samples.trend.mean),
                      c.samples.trend.pairs, beside(c, c.held_out ? percent(c.held_out->trend.mean) : ""));
  text += trends_text(c, schema);
  text +=
      fmt::format("detection AUC        {} (0.5 means indistinguishable{}){}\n", detection_figure(c.samples),
                  c.samples.detection ? fmt::format("; {} rows of each", c.samples.detection->rows) : "",
                  beside(c, c.held_out ? detection_figure(*c.held_out) : ""));
  if (c.utility) text += utility_text(*c.utility, schema);
  return text + privacy_text(c.privacy) + impossible_of(c, schema);
}

}  // namespace fokker::cli
