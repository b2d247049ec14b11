#include "fokker/table/table_map.h"

#include <gtest/gtest.h>

#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

bool same_cells(const Tensor& a, const Tensor& b, double tolerance = 0) {
  return ((a - b).abs() <= tolerance).logical_or(a.isnan() & b.isnan()).all().item<bool>();
}

/// Largest distance between the distribution function of x (n) and the standard normal one.
double distance_to_normal(const Tensor& x) {
  const int64_t n = x.size(0);
  const Tensor u = 0.5 * (1 + at::erf(std::get<0>(x.to(at::kDouble).sort()) / std::sqrt(2.0)));
  const Tensor place = (at::arange(n, at::TensorOptions(at::kDouble)) + 0.5) / static_cast<double>(n);
  return (u - place).abs().max().item<double>();
}

TEST(TableMap, GivesBackTheCells) {
  const TableMap map = some_map(20'000);
  for (const uint64_t seed : {1, 2}) {  // the rows that it was fitted to, and others
    const Tensor cells = some_cells(2000, seed);
    const Rng rng(3);
    for (const Rng* draws : {static_cast<const Rng*>(nullptr), &rng}) {
      const TableRows rows = map.encode(cells, draws);
      const Tensor back = map.decode(rows);
      for (int64_t j = 0; j < cells.size(1); ++j) {
        const std::string& name = map.schema().columns[static_cast<size_t>(j)].name;
        // Numbers that are not rounded come back to float32's digits of their score, and a number of other
        // rows beyond all of these as the nearest.
        if (name.starts_with("real") || (seed == 2 && (name == "many" || name == "spiked"))) continue;
        EXPECT_TRUE(same_cells(cells.select(1, j), back.select(1, j))) << name << " " << seed;
      }
      const Tensor again = map.encode(back).x, before = map.encode(cells).x;
      for (int64_t i = 0; i < before.size(1); ++i)
        EXPECT_LT(worst(again.select(1, i), before.select(1, i)), seed == 1 ? 1e-5 : 0.02)
            << i << " " << seed;
    }
  }
}

// The lecture's models start from N(0, I): numbers must be such, whatever their law, also rounded ones.
TEST(TableMap, NumbersAreStandardNormal) {
  const TableMap map = some_map();
  const int64_t n = 6000;
  const Rng rng(4);
  const Tensor x = map.encode(some_cells(n, 1), &rng).x;
  ASSERT_EQ(map.layout().numbers(), 5);
  for (int64_t i = 0; i < 5; ++i)
    EXPECT_LT(distance_to_normal(x.select(1, i)), 1.95 / std::sqrt(n)) << i;  // p = 0.001
}

// Whole numbers so large that float64 does not tell one from the next have no cells to be spread over.
TEST(TableMap, RoundingBelowTheDigitsOfFloat64IsNone) {
  const Tensor cells = (1e17 * Rng(5).normal({400, 1}, {}, at::kDouble)).round();
  auto schema = std::make_shared<Schema>();
  schema->columns = {
      {.name = "x", .low = cells.min().item<double>(), .high = cells.max().item<double>(), .decimals = 0}};
  const TableMap map = TableMap::fit(cells, schema, Rng(1));
  const Rng rng(2);
  const TableRows rows = map.encode(cells, &rng);
  EXPECT_LT(distance_to_normal(rows.x.select(1, 0)), 1.95 / std::sqrt(400));
  EXPECT_TRUE(same_cells(map.decode(rows), cells, 1e-5 * cells.abs().max().item<double>()));
}

TEST(TableMap, PointsHaveMeanZeroAndLinesRise) {
  const TableMap map = some_map();
  for (const TablePart& part : map.layout().parts) {
    if (part.kind == TablePart::Kind::number) continue;
    const Tensor points = part_points(part), prior = vector_of(part.prior).to(at::kFloat);
    EXPECT_LT(at::mv(points.t(), prior).abs().max().item<double>(), 1e-5);
    if (part.kind == TablePart::Kind::line) {
      EXPECT_TRUE((points.squeeze(1).diff() > 0).all().item<bool>());
      EXPECT_LT((points.squeeze(1).square() * prior).sum().item<double>(), 1);
    }
  }
}

// The scale's definition, by other draws: at sigma = alpha half of the entropy is unknown.
TEST(TableMap, HalfOfTheEntropyIsUnknownAtEqualNoise) {
  TablePart part{.kind = TablePart::Kind::simplex, .levels = 4, .dims = 4, .prior = {0.55, 0.3, 0.1, 0.05}};
  TablePart codes = part;
  codes.kind = TablePart::Kind::codes;
  codes.dims = 6;
  for (const TablePart& fitted : {fit_part(part, Rng(1)), fit_part(codes, Rng(1))}) {
    const int64_t n = 200'000;
    const Tensor prior = vector_of(fitted.prior);
    const Tensor k = at::searchsorted(prior.cumsum(0), Rng(2).uniform({n}, {}, at::kDouble)).clamp_max(3);
    const Tensor points = part_points(fitted).to(at::kDouble);
    const Tensor y = points.index_select(0, k) + Rng(3).normal({n, fitted.dims}, {}, at::kDouble);
    const Tensor square = (y.unsqueeze(1) - points.unsqueeze(0)).square().sum(2);
    const Tensor nats = -at::log_softmax(prior.log() - 0.5 * square, 1).gather(1, k.unsqueeze(1));
    const double half = -0.5 * (prior * prior.log()).sum().item<double>();
    EXPECT_NEAR(average(nats), half, 0.02);
    EXPECT_NEAR(fitted.entropy_at(0), half, 0.02);
    EXPECT_NEAR(fitted.entropy_at(20), 2 * half, 1e-3);
  }
}

TEST(TableMap, ManyLevelsAreCodesThatDecode) {
  const int64_t levels = 2000, n = 20'000;
  Schema schema{.columns = {level_column("many", levels)}};
  const Tensor cells = (Rng(1).uniform({n, 1}, {}, at::kDouble) * static_cast<double>(levels)).floor();
  const TableMap map = TableMap::fit(cells, std::make_shared<const Schema>(schema), Rng(2));
  ASSERT_EQ(map.layout().parts[0].kind, TablePart::Kind::codes);
  EXPECT_LT(map.layout().dims(), 100);
  const TableRows rows = map.encode(cells);
  EXPECT_TRUE(map.nearest_levels(rows.x + 0.02 * Rng(3).normal(rows.x.sizes())).equal(rows.levels));
  EXPECT_TRUE(map.decode(rows).equal(cells));
}

// Of a rounded number the density is that of its cell, so that shares of values are density times width.
TEST(TableMap, SlopesIntegrateToOne) {
  const NormalScores map = NormalScores::fit((Rng(1).normal({50'000}, {}, at::kDouble) * 20).round(), 1);
  double total = 0;
  for (double v = map.low(); v <= map.high(); ++v) {
    const Tensor value = vector_of({v});
    const Tensor z = map.to_scores(value, vector_of({0.5}));
    total += (-0.5 * z.square() + map.log_slope(z)).exp().item<double>() / std::sqrt(2 * M_PI);
  }
  EXPECT_NEAR(total, 1, 5e-3);
}

/// A name, its code, and a column that goes with them in all rows but one.
struct Twins {
  static constexpr int64_t rows = 600;
  Schema schema{.columns = {level_column("name", 4), number_column("code", ColumnKind::integer, 0),
                            number_column("almost", ColumnKind::integer, 0)}};
  Tensor cells;
  Twins() {
    const Tensor level = (Rng(1).uniform({rows}, {}, at::kDouble) * 4).floor();
    const Tensor code = vector_of({7, 3, 20, 5}).index_select(0, level.to(at::kLong));
    cells = at::stack({level, code, code}, 1);
    cells[rows - 1][2] = code[rows - 1].item<double>() == 3 ? 7 : 3;
  }
  TableMap map() const { return TableMap::fit(cells, std::make_shared<const Schema>(schema), Rng(2)); }
};

TEST(TableMap, OfTwoColumnsThatSayTheSameOneFollows) {
  const Twins twins;
  const TableMap map = twins.map();
  EXPECT_EQ(map.twin_of(1), 0);
  EXPECT_EQ(map.twin_of(2), -1);
  EXPECT_EQ(map.layout().parts.size(), 2u);
  EXPECT_TRUE(map.decode(map.encode(twins.cells)).equal(twins.cells));
  const TableMap back = TableMap::from_json(Json::parse(map.to_json().dump()), map.layout());
  EXPECT_TRUE(back.decode(back.encode(twins.cells)).equal(twins.cells));
}

TEST(TableMap, WhatIsKnownOfATwinIsKnownOfBoth) {
  const TableMap map = Twins().map();
  Tensor cells = rows_of({{0, 20, 3}}), known = rows_of({{0, 1, 0}}).to(at::kBool);
  map.complete(cells, known);
  EXPECT_TRUE(cells.equal(rows_of({{2, 20, 3}})));
  EXPECT_TRUE(known.equal(rows_of({{1, 1, 0}}).to(at::kBool)));
  cells = rows_of({{1, 20, 3}});
  expect_error([&] { map.complete(cells, known); }, ErrorKind::argument, "'20' goes with 'level 2'");
  cells = rows_of({{0, 4, 3}});
  known = rows_of({{0, 1, 0}}).to(at::kBool);
  expect_error([&] { map.complete(cells, known); }, ErrorKind::argument, "column 'code': 4 is none");
}

TEST(TableMap, SurvivesItsJson) {
  const TableMap map = some_map(3000);
  const TableMap back = TableMap::from_json(
      Json::parse(map.to_json().dump()), TableLayout::from_json(Json::parse(map.layout().to_json().dump())));
  const Tensor cells = some_cells(500, 1);
  const Rng rng(3);
  EXPECT_TRUE(back.encode(cells, &rng).x.equal(map.encode(cells, &rng).x));
  EXPECT_TRUE(same_cells(back.decode(back.encode(cells)), map.decode(map.encode(cells))));
}

TEST(TableMap, RefusesJsonThatDoesNotFitTogether) {
  const TableMap map = some_map(3000);
  const Json good = map.to_json();
  const auto refused = [&](const std::function<void(Json&)>& change, const char* expected) {
    Json bad = good;
    change(bad);
    expect_error([&] { TableMap::from_json(bad, map.layout(), "fokker.json"); }, ErrorKind::input, expected);
  };
  refused([](Json& j) { j["places"].erase(0); }, "fokker.json: expected a place of each of 11 columns");
  refused([](Json& j) { j["places"][0]["number"] = 1000; }, "names part 1000");
  refused([](Json& j) { j["places"][1]["values"] = {1, 2}; }, "column 'few'");
  refused([](Json& j) { j["places"][0]["scores"]["scores"][0] = 99; }, "expected rising");
  Json layout = map.layout().to_json();
  layout["parts"][6]["dims"] = 1'000'000'000;
  expect_error([&] { TableLayout::from_json(layout, "config.json"); }, ErrorKind::input, "config.json");
}

TEST(TableMap, RefusesCellsThatTheSchemaDoesNotHave) {
  const TableMap map = some_map(3000);
  Tensor cells = some_cells(10, 1);
  cells[3][4] = 7;
  expect_error([&] { map.encode(cells); }, ErrorKind::input, "column 'category'");
  cells[3][4] = NAN;
  expect_error([&] { map.encode(cells); }, ErrorKind::input, "column 'category': a cell is missing");
}

}  // namespace
}  // namespace fokker
