#include "fokker/data/conditions.h"

#include <limits>

#include "data/damage.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/load.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

Dataset four_columns() {
  return {.values = at::arange(12, at::kDouble).reshape({3, 4}).square(),
          .columns = {"a", "b", "c", "d"},
          .source = "pairs.csv"};
}

std::string refused(const std::vector<std::string>& names) {
  return error_of([&] { take_conditions(four_columns(), names); }, ErrorKind::input);
}

TEST(Conditions, AreTakenInTheirOrderAndPutBackInTheirPlaces) {
  const Dataset whole = four_columns(), taken = take_conditions(whole, {"d", "b"});
  EXPECT_EQ(taken.columns, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(taken.condition_columns, (std::vector<std::string>{"d", "b"}));
  EXPECT_TRUE(taken.values.equal(whole.values.index_select(1, at::tensor({0, 2}, at::kLong))));
  EXPECT_TRUE(taken.conditions.equal(whole.values.index_select(1, at::tensor({3, 1}, at::kLong))));
  const Dataset back = with_condition_columns(taken);
  EXPECT_TRUE(back.values.equal(whole.values));
  EXPECT_EQ(back.columns, whole.columns);
  EXPECT_FALSE(back.conditions.defined());
  const Dataset part = taken.subset(at::tensor({2, 0}, at::kLong));
  EXPECT_TRUE(part.conditions.equal(taken.conditions.index_select(0, at::tensor({2, 0}, at::kLong))));
}

TEST(Conditions, RefuseColumnsThatDoNotFit) {
  EXPECT_THAT(refused({"a", "e"}),
              HasSubstr("pairs.csv: no column 'e' to be a condition: its columns are a, b, c, d"));
  EXPECT_THAT(refused({"a", "a"}), HasSubstr("column 'a' is named twice"));
  EXPECT_THAT(refused({"a", "b", "c", "d"}), HasSubstr("all of its columns are conditions"));
}

TEST(ConditionMap, StandardisesAndKeepsRowsWithoutAny) {
  Dataset data = four_columns();
  data.values =
      Rng(3).normal({1000, 4}, {}, at::kDouble) * vector_of({1, 5, 1, 0.2}) + vector_of({0, 3, 0, -7});
  const ConditionMap map = ConditionMap::fit(take_conditions(data, {"b", "d"}));
  const Tensor rows = data.values.index_select(1, at::tensor({1, 3}, at::kLong));
  const Tensor z = map.to_model(rows, at::kDouble);
  EXPECT_LT(z.mean(0).abs().max().item<double>(), 1e-12);
  EXPECT_LT((z.std(0, false) - 1).abs().max().item<double>(), 1e-12);
  const Tensor none = at::full({1, 2}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
  EXPECT_TRUE(map.to_model(none, at::kFloat).isnan().all().item<bool>());
  const ConditionMap read = ConditionMap::from_json(map.to_json(), "fokker.json");
  EXPECT_TRUE(read.to_model(rows, at::kDouble).equal(z));
  EXPECT_EQ(read.places, (std::vector<int64_t>{1, 3}));
  EXPECT_TRUE(read.low.equal(map.low) && read.high.equal(map.high));
}

TEST(ConditionMap, TellsWhatLiesFarOutside) {
  Dataset data = four_columns();  // b: 1, 25, 81
  const ConditionMap map = ConditionMap::fit(take_conditions(data, {"b"}));
  EXPECT_FALSE(map.beyond(rows_of({{-6.9}, {88.9}})).has_value());
  const auto far = map.beyond(rows_of({{5}, {89.1}, {-7.1}}));
  ASSERT_TRUE(far.has_value());
  EXPECT_EQ(far->column, "b");
  EXPECT_EQ(far->value, 89.1);
  EXPECT_EQ(far->rows, 2);
}

TEST(ConditionMap, RefusesAConstantColumnByName) {
  Dataset data = four_columns();
  data.values.select(1, 2).fill_(7);
  EXPECT_THAT(error_of(
                  [&] {
                    ConditionMap::fit(take_conditions(data, {"a", "c"}));
                  },
                  ErrorKind::input),
              HasSubstr("pairs.csv: condition 'c' is the same in all rows, 7"));
}

using ConditionFiles = FolderTest;

TEST_F(ConditionFiles, RowsOfFloatsBesideImagesAreConditions) {
  save_npy(folder_ / "images.npy", at::zeros({3, 1, 4, 4}, at::kByte));
  save_npy(folder_ / "conditions.npy", rows_of({{0.5, 1}, {2, 3}, {4, 5}}));
  save_npy(folder_ / "classes.npy", rows_of({{1.0}, {2}, {1}}));
  save_npy(folder_ / "few.npy", rows_of({{0.5, 1}, {2, 3}}));
  const Dataset data = load_data(folder_ / "images.npy", {.labels_path = folder_ / "conditions.npy"});
  EXPECT_TRUE(data.conditions.equal(rows_of({{0.5, 1}, {2, 3}, {4, 5}})));
  EXPECT_EQ(data.condition_columns, (std::vector<std::string>{"c0", "c1"}));
  EXPECT_FALSE(data.labels.defined());
  EXPECT_TRUE(data.condition_places.empty());
  const Dataset classes = load_data(folder_ / "images.npy", {.labels_path = folder_ / "classes.npy"});
  EXPECT_EQ(classes.label_names, (std::vector<std::string>{"1", "2"}));
  EXPECT_THAT(error_of([&] { load_data(folder_ / "images.npy", {.labels_path = folder_ / "few.npy"}); },
                       ErrorKind::input),
              HasSubstr("few.npy: expected 3 conditions, one per row, but found 2"));
}

}  // namespace
}  // namespace fokker
