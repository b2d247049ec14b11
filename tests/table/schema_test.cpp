#include "fokker/table/schema.h"

#include "table/columns.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Columns of every kind, at random.
std::vector<InferredColumn> random_columns(uint64_t seed) {
  constexpr int64_t n = 300;
  const Tensor z = Rng(seed).normal({n, 4}, {}, at::kDouble),
               u = Rng(seed + 1).uniform({n, 4}, {}, at::kDouble);
  std::vector<std::vector<std::string>> cells(7, std::vector<std::string>(n));
  for (int64_t i = 0; i < n; ++i) {
    const auto k = static_cast<size_t>(i);
    const auto pick = [&](int64_t j, double levels) {
      return static_cast<int64_t>(u[i][j].item<double>() * levels);
    };
    cells[0][k] = fmt::format("{}", 1e3 * z[i][0].item<double>());
    cells[1][k] = pick(0, 5) == 0 ? " ?" : fmt::format("{:.3f}", 9 + z[i][1].item<double>());
    cells[2][k] = fmt::format("{}", pick(1, 400) - 50);
    cells[3][k] = pick(2, 7) == 0 ? "NA" : fmt::format(" level \"{}\", and", pick(3, 9));
    cells[4][k] = date_text(*DateFormat::parse("%d.%m.%Y %H:%M"), 1e9 + 6e7 * z[i][2].item<double>());
    cells[5][k] = "the same";
    cells[6][k] = fmt::format("{:.8g}", std::exp(3 * z[i][3].item<double>()));
  }
  std::vector<InferredColumn> columns;
  for (size_t j = 0; j < cells.size(); ++j) {
    columns.push_back(inferred(cells[j], {}, fmt::format("column {}", j)));
    const Column& column = columns.back().column;
    // Each text comes back byte for byte, blanks too.
    for (size_t i = 0; i < cells[j].size(); ++i) {
      EXPECT_EQ(cell_text(column, columns.back().cells[i]), cells[j][i]);
      const auto again = parse_cell(column, cells[j][i]);
      EXPECT_TRUE(again && (*again == columns.back().cells[i] ||
                            (std::isnan(*again) && std::isnan(columns.back().cells[i]))));
    }
  }
  return columns;
}

TEST(Schema, CellsRoundTripThroughTextsAndColumnsThroughJson) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Schema schema;
    schema.dropped = {{"id", "an identifier"}};
    for (const InferredColumn& column : random_columns(seed)) schema.columns.push_back(column.column);
    const Json json = schema.to_json();
    const Schema back = Schema::from_json(Json::parse(json_text(json)), "s.json");
    EXPECT_EQ(back.to_json(), json);
    EXPECT_EQ(back.dropped[0].why, "an identifier");
    EXPECT_EQ(back.find("column 3"), 3);
    EXPECT_EQ(back.columns[4].kind, ColumnKind::datetime);
    EXPECT_EQ(back.columns[5].kind, ColumnKind::constant);
    EXPECT_FALSE(back.is_plain());
    EXPECT_TRUE(back.columns[0].is_plain());
  }
}

TEST(Schema, NamesAreListedWhereOneIsUnknown) {
  const Schema schema{.columns = {{.name = "a"}, {.name = "b"}}};
  EXPECT_THAT(schema.names(), ElementsAre("a", "b"));
  EXPECT_TRUE(schema.is_plain());
  expect_error([&] { schema.find("c"); }, ErrorKind::argument, "no column 'c': expected one of a, b");
  for (const char* kind : {"real", "integer", "categorical", "ordinal", "datetime", "constant"})
    EXPECT_EQ(to_string(parse_column_kind(kind)), kind);
  expect_error([&] { parse_column_kind("drop"); }, ErrorKind::argument,
               "expected one of real, integer, categorical, ordinal, datetime, constant");
}

TEST(Schema, WritesOnlyWhatAColumnHolds) {
  const Column counts{.name = "n", .kind = ColumnKind::integer};
  EXPECT_EQ(cell_text(counts, -0.0), "0");
  EXPECT_EQ(cell_text({.name = "x", .decimals = 2}, 1e39), "1e+39");
  expect_error([&] { cell_text(counts, 3.97); }, ErrorKind::argument, "'n': expected a whole number");
  expect_error([&] { cell_text(counts, NAN); }, ErrorKind::argument, "no cell of it is missing");
  expect_error([&] { cell_text({.name = "x"}, INFINITY); }, ErrorKind::argument, "expected a finite number");
  const Column levels{.name = "l", .kind = ColumnKind::categorical, .levels = {"0", "1", "10"}};
  for (const double bad : {-1.0, 3.0, 0.5})
    expect_error([&] { cell_text(levels, bad); }, ErrorKind::argument, "expected a place among 3 levels");
  EXPECT_EQ(parse_cell(levels, "10.0"), 2);  // a whole number by its value
  EXPECT_EQ(parse_cell(levels, "0.97"), std::nullopt);
  EXPECT_EQ(parse_cell(counts, "3.97"), std::nullopt);
  EXPECT_EQ(parse_cell(counts, "three"), std::nullopt);
  EXPECT_EQ(parse_cell({.name = "x"}, "inf"), std::nullopt);
}

TEST(Schema, HostileJsonIsRefused) {
  const auto refused = [](const char* column, const char* expected) {
    const std::string text = fmt::format(R"({{"columns": [{}]}})", column);
    expect_error([&] { Schema::from_json(Json::parse(text), "s.json"); }, ErrorKind::input, expected);
  };
  refused("", "s.json: expected a list of columns");
  refused("3", "s.json: columns: expected a member 'name'");
  refused(R"({"name": "a"})", "s.json: column 'a': expected a member 'kind'");
  refused(R"({"name": "a", "kind": "blob"})", "unknown kind 'blob': expected one of real");
  refused(R"({"name": "a", "kind": "real"})", "expected a member 'low'");
  refused(R"({"name": "a", "kind": "real", "low": 2, "high": 1})", "low <= high");
  refused(R"({"name": "a", "kind": "real", "low": 1, "high": 2, "decimals": 400})", "decimals");
  refused(R"({"name": "a", "kind": "real", "low": 1, "high": 2, "digits": 0})", "digits");
  refused(R"({"name": "a", "kind": "real", "low": 1, "high": 2, "spikes": [{"value": 3, "share": 0.5}]})",
          "spikes of rising values");
  refused(R"({"name": "a", "kind": "real", "low": 1, "high": 2, "spikes": 3})", "spikes");
  refused(R"({"name": "a", "kind": "datetime", "low": 1, "high": 2, "date_format": "%s%s%s%n"})", "a format");
  refused(R"({"name": "a", "kind": "categorical"})", "expected levels");
  refused(R"({"name": "a", "kind": "categorical", "levels": []})", "expected levels");
  refused(R"({"name": "a", "kind": "categorical", "levels": ["x", " x"]})", "level ' x' is there twice");
  refused(R"({"name": "a", "kind": "categorical", "levels": ["x"], "missing": ["x"]})",
          "both a level and missing");
  refused(R"({"name": "a", "kind": "categorical", "levels": [1]})", "a list of strings");
  refused(R"({"name": "a", "kind": "constant", "levels": ["x", "y"]})", "one level of a constant");
  refused(R"({"name": "a", "kind": "constant", "levels": ["x"], "missing_share": 0.5})",
          "a share of missing");
  refused(R"({"name": "a", "kind": "constant", "levels": ["x"], "label": 1})", "unknown member 'label'");
  refused(
      R"({"name": "a", "kind": "constant", "levels": ["x"]}, {"name": "a", "kind": "constant", "levels": ["x"]})",
      "two columns are named 'a'");
  for (const char* text : {"[]", "{}", R"({"columns": 3})", R"({"column": []})"})
    expect_error([&] { Schema::from_json(Json::parse(text), "s.json"); }, ErrorKind::input, "s.json");
}

}  // namespace
}  // namespace fokker
