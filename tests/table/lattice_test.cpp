// Whether values between those seen belong to a column.
#include "fokker/table/lattice.h"

#include "fokker/table/table_map.h"
#include "table/columns.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ValueCounts counts_of_values(const Tensor& values) {
  const Tensor flat = values.to(at::kDouble).contiguous();
  return ValueCounts::of({flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()});
}
Tensor in_turn(const std::vector<double>& values, int64_t rows) {
  return vector_of(values).repeat({rows / std::ssize(values)});
}
Tensor normal_like(int64_t n, uint64_t seed, double mean, double deviation) {
  return (mean + deviation * Rng(seed).normal({n}, {}, at::kDouble)).round();
}
Tensor evenly(int64_t n, uint64_t seed, double low, double high) {
  return low + (Rng(seed).uniform({n}, {}, at::kDouble) * (high - low + 1)).floor();
}

struct Shape {
  const char* name;
  Tensor values;
  bool goes_on;
  double width = 1;
};

std::vector<Shape> shapes(uint64_t seed) {
  const Tensor u = Rng(seed).uniform({400}, {}, at::kDouble);
  const std::vector<double> list = {4, 9, 15, 19, 29, 45, 49, 60, 79, 99, 120, 149};
  return {{"codes 1, 2, 5", in_turn({1, 2, 5}, 60), false},
          {"codes with a hole among many", in_turn({1, 2, 3, 4, 6, 7, 8}, 70), false},
          {"ages of 60 people", normal_like(60, seed, 45, 14), true},
          {"ages of 300 people", normal_like(300, seed, 45, 14), true},
          {"every age, often", in_turn({20, 21, 22, 23, 24, 25, 26, 27, 28}, 900), false},
          {"counts with a thin tail", (-4 * u.log()).floor(), true},
          {"years of 40 films", evenly(40, seed, 1990, 2025), true},
          {"a list of prices", in_turn(list, 96), false},
          {"prices of 50 flats", normal_like(50, seed, 250'000, 60'000), true},
          {"pay in steps of 500", 500 * normal_like(50, seed, 80, 14), true, 500},
          {"prices that end in 9", 9 + 10 * evenly(50, seed, 0, 90), true, 10}};
}

// Each rule with ten tables of its kind.
TEST(Lattice, TellsSparseNumbersFromListsOfThem) {
  const Column whole{.name = "c", .kind = ColumnKind::integer, .decimals = 0};
  for (uint64_t seed = 0; seed < 10; ++seed)
    for (const Shape& shape : shapes(seed)) {
      const ValueCounts column = counts_of_values(shape.values);
      const double width = lattice_width(whole, column.values);
      EXPECT_EQ(width, shape.width) << shape.name << " " << seed;
      EXPECT_EQ(goes_on_between(column, width), shape.goes_on) << shape.name << " " << seed;
    }
}

TEST(Lattice, GapsAreOpenWhereFewRowsWereExpected) {
  // Two rows a cell on either side of one cell, and twenty.
  const ValueCounts thin{{1, 2, 3, 5, 6, 7}, {2, 2, 2, 2, 2, 2}},
      thick{{1, 2, 3, 5, 6, 7}, {20, 20, 20, 20, 20, 20}};
  EXPECT_EQ(open_gaps(thin, 1), std::vector<bool>({false, false, true, false, false}));
  EXPECT_EQ(open_gaps(thick, 1), std::vector<bool>(5, false));
  EXPECT_EQ(open_gaps(thick, 1, Between::all), open_gaps(thin, 1));
  EXPECT_EQ(open_gaps(thin, 1, Between::none), std::vector<bool>(5, false));
  EXPECT_EQ(with_values_between(thin, 1, Between::sparse, 3), std::vector<double>({1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(with_values_between({{0, 1000}, {2, 2}}, 1, Between::sparse, 100).empty());
}

// Scores of the rows are N(0, 1), values come back, and those between come too.
TEST(Lattice, NumbersBetweenThoseSeenAreDrawn) {
  const Tensor ages = normal_like(60, 3, 45, 14);
  const NormalScores map = NormalScores::fit(ages, 1, Between::sparse);
  const int64_t copies = 200;
  const Tensor rows = ages.repeat({copies}), within = Rng(4).uniform({60 * copies}, {}, at::kDouble);
  EXPECT_TRUE(map.to_values(map.to_scores(rows, within)).equal(rows));
  const Tensor z = std::get<0>(map.to_smooth_scores(rows, within).sort());
  const Tensor share = 0.5 * at::erfc(z * -M_SQRT1_2);
  const Tensor place = (at::arange(z.size(0), at::kDouble) + 0.5) / static_cast<double>(z.size(0));
  // A boundary half-way between neighbours is off by a quarter of what their rows differ in; at most 3 of 60.
  EXPECT_LT((share - place).abs().max().item<double>(), 0.25 * 3 / 60 + 1.95 / std::sqrt(60 * copies));
  const Tensor drawn = map.to_values(Rng(5).normal({20'000}, {}, at::kDouble));
  EXPECT_TRUE(drawn.equal(drawn.round()));
  EXPECT_GE(drawn.min().item<double>(), ages.min().item<double>());
  EXPECT_LE(drawn.max().item<double>(), ages.max().item<double>());
  const Tensor unseen = at::isin(drawn, ages).logical_not();
  EXPECT_GT(average(unseen.to(at::kDouble)), 0.15);
  EXPECT_NEAR(average(drawn), average(ages), 0.5);
  const NormalScores back = NormalScores::from_json(Json::parse(map.to_json().dump()), "f.json");
  EXPECT_TRUE(back.to_smooth_scores(rows, within).equal(map.to_smooth_scores(rows, within)));
  // Without it only what was seen.
  const NormalScores seen = NormalScores::fit(ages, 1);
  EXPECT_TRUE(at::isin(seen.to_values(Rng(5).normal({2000}, {}, at::kDouble)), ages).all().item<bool>());
  EXPECT_TRUE(seen.to_smooth_scores(rows, within).equal(seen.to_scores(rows, within)));
}

TEST(Lattice, StepsOfALatticeComeBack) {
  const Tensor prices = 9 + 10 * evenly(50, 2, 0, 90);
  const NormalScores map = NormalScores::fit(prices, 10, Between::sparse);
  const Tensor drawn = map.to_values(Rng(5).normal({5000}, {}, at::kDouble));
  EXPECT_TRUE((drawn.remainder(10) == 9).all().item<bool>());
  EXPECT_FALSE(at::isin(drawn, prices).all().item<bool>());
}

/// The cells of a table of one number column that is drawn without a network: from its own law.
Tensor drawn_alone(const InferredColumn& column, int64_t n) {
  auto schema = std::make_shared<Schema>(Schema{.columns = {column.column}});
  const TableMap map = TableMap::fit(vector_of(column.cells).unsqueeze(1), schema, Rng(1));
  const TablePart& part = map.layout().parts[0];
  if (part.kind == TablePart::Kind::number)
    return map.decode({Rng(2).normal({n, 1}), at::zeros({n, 0}, at::kLong)}).select(1, 0);
  const Tensor u = Rng(2).uniform({n}, {}, at::kDouble);
  const Tensor level = at::searchsorted(vector_of(part.prior).cumsum(0), u).clamp_max(part.levels - 1);
  return map.decode({at::zeros({n, 1}), level.unsqueeze(1)}).select(1, 0);
}

TEST(Lattice, SchemaSaysAndDecides) {
  const std::vector<std::string> ages = texts_of(normal_like(60, 3, 45, 14)),
                                 codes = repeated({"1", "2", "5"}, 45);
  const InferredColumn sparse = inferred(ages), list = inferred(codes);
  EXPECT_EQ(sparse.column.between, Between::sparse);
  EXPECT_THAT(sparse.column.note, HasSubstr("values seen, others between them may come"));
  EXPECT_EQ(list.column.between, Between::none);
  EXPECT_THAT(list.column.note, HasSubstr("only the 3 values seen come"));
  EXPECT_FALSE((drawn_alone(list, 2000) == 3).any().item<bool>());
  EXPECT_FALSE(at::isin(drawn_alone(sparse, 2000), vector_of(sparse.cells)).all().item<bool>());
  // Overruled.
  const InferredColumn all = inferred(codes, ColumnWish::from_json({{"between", "all"}}, "s"));
  EXPECT_TRUE((drawn_alone(all, 2000) == 3).any().item<bool>());
  const InferredColumn none = inferred(ages, ColumnWish::from_json({{"between", "none"}}, "s"));
  EXPECT_TRUE(at::isin(drawn_alone(none, 2000), vector_of(none.cells)).all().item<bool>());
  EXPECT_THAT(refusal_of(
                  [] {
                    ColumnWish::from_json({{"between", "some"}}, "s");
                  },
                  ErrorKind::input),
              HasSubstr("none, sparse or all"));
  const Schema schema{.columns = {sparse.column}};
  EXPECT_EQ(Schema::from_json(schema.to_json()).columns[0].between, Between::sparse);
}

// Of a few hundred rows some ages are missing by chance: they are levels too.
TEST(Lattice, LevelsOfALineHaveThoseBetween) {
  const InferredColumn column = inferred(texts_of(normal_like(700, 6, 45, 10)));
  ASSERT_EQ(column.column.between, Between::sparse);
  const Tensor seen = vector_of(column.cells), drawn = drawn_alone(column, 20'000);
  EXPECT_GT(std::get<0>(at::_unique(drawn)).size(0), std::get<0>(at::_unique(seen)).size(0));
  EXPECT_LT(average(at::isin(drawn, seen).logical_not().to(at::kDouble)), 0.02);
}

}  // namespace
}  // namespace fokker
