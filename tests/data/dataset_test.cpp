#include "fokker/data/dataset.h"

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

Dataset numbered(int64_t n) {
  return {.values = at::arange(2 * n, at::kDouble).reshape({n, 2}),
          .columns = {"a", "b"},
          .labels = at::arange(n, at::kLong),
          .label_names = {"first"},
          .source = "somewhere"};
}

TEST(Dataset, SelectsRowsWithTheirLabels) {
  const Dataset data = numbered(5);
  const Tensor indices = at::tensor({4, 0, 4}, at::kLong);
  EXPECT_TRUE(data.rows(indices).equal(at::tensor({8, 9, 0, 1, 8, 9}, at::kDouble).reshape({3, 2})));
  const Dataset part = data.subset(indices);
  EXPECT_TRUE(part.labels.equal(indices));
  EXPECT_EQ(part.columns, data.columns);
  EXPECT_EQ(part.label_names, data.label_names);
  EXPECT_EQ(part.source, "somewhere");
  EXPECT_EQ(data.event_shape(), (std::vector<int64_t>{2}));
  EXPECT_FALSE(data.is_images());
  EXPECT_THAT(error_of(
                  [&] {
                    data.rows(at::tensor({1, 5}, at::kLong));
                  },
                  ErrorKind::argument),
              HasSubstr("expected indices in 0..4 but received 5"));
  EXPECT_THAT(error_of(
                  [&] {
                    data.rows(at::tensor({-1, 2}, at::kLong));
                  },
                  ErrorKind::argument),
              HasSubstr("received -1"));
  EXPECT_THAT(error_of([&] { data.rows(at::tensor({1}, at::kInt)); }, ErrorKind::argument),
              HasSubstr("int64"));
}

Dataset unlabelled(int64_t n) {
  Dataset data = numbered(n);
  data.labels = Tensor();
  return data;
}

/// Which rows of `numbered` these are.
Tensor places(const Dataset& data) {
  return (data.values.select(1, 0) / 2).to(at::kLong);
}

TEST(Split, IsAPartitionInOrder) {
  const Dataset data = unlabelled(1000);
  const auto [training, held_out] = split_rows(data, 0.9, Rng(3));
  EXPECT_EQ(training.size(), 900);
  EXPECT_EQ(held_out.size(), 100);
  const Tensor all = at::cat({places(training), places(held_out)});
  EXPECT_TRUE(std::get<0>(all.sort()).equal(at::arange(1000)));
  EXPECT_TRUE(places(training).diff().gt(0).all().item<bool>());
  EXPECT_TRUE(held_out.values.equal(data.rows(places(held_out))));
}

// Of labels with one to four rows chance holds some out whole; of those one row is trained on.
TEST(Split, TrainsOnEveryLabel) {
  Dataset data = numbered(80);
  data.labels = at::arange(80).mul(80).sqrt().div(2).floor().to(at::kLong);
  const auto [training, held_out] = split_rows(data, 0.5, Rng(1));
  const auto [plain, rest] = split_rows(unlabelled(80), 0.5, Rng(1));
  const auto distinct = [](const Tensor& labels) { return std::get<0>(at::_unique(labels)); };
  EXPECT_TRUE(distinct(training.labels).equal(distinct(data.labels)));
  EXPECT_GT(distinct(data.labels).numel(), distinct(data.labels.index_select(0, places(plain))).numel());
  // No more rows than that are moved, and those kept are where they were.
  EXPECT_EQ(training.size() - plain.size(),
            distinct(data.labels).numel() - distinct(data.labels.index_select(0, places(plain))).numel());
  EXPECT_EQ(std::get<0>(at::_unique(at::cat({places(training), places(plain)}))).numel(), training.size());
  EXPECT_EQ(training.size() + held_out.size(), 80);
  // Where every label is trained on already, labels do not change the split.
  data.labels = at::arange(80).remainder(2);
  EXPECT_TRUE(places(split_rows(data, 0.5, Rng(1)).training).equal(places(plain)));
}

TEST(Split, IsRandomAndReproducible) {
  const Dataset data = unlabelled(2000);
  const Tensor first = places(split_rows(data, 0.5, Rng(1)).held_out);
  EXPECT_TRUE(places(split_rows(data, 0.5, Rng(1)).held_out).equal(first));
  EXPECT_FALSE(places(split_rows(data, 0.5, Rng(2)).held_out).equal(first));
  // Each row is held out with probability 1/2: the mean index has standard deviation 577 / sqrt(1000) *
  // sqrt(1/2) = 13.
  EXPECT_NEAR(first.to(at::kDouble).mean().item<double>(), 999.5, 5 * 13);
  // Neighbours are held out together half of the time, not always and not never: 500 +- 5 * 11 of 1000 pairs.
  EXPECT_NEAR(first.diff().eq(1).sum().item<double>(), 500, 80);
}

TEST(Split, KeepsARowForEachPart) {
  EXPECT_EQ(split_rows(unlabelled(2), 0.99, Rng(0)).held_out.size(), 1);
  EXPECT_EQ(split_rows(unlabelled(3), 1.0, Rng(0)).held_out.size(), 1);
  EXPECT_EQ(split_rows(unlabelled(3), 0.01, Rng(0)).training.size(), 1);
  EXPECT_EQ(split_rows(unlabelled(1), 0.5, Rng(0)).training.size(), 1);
  EXPECT_EQ(split_rows(unlabelled(1), 0.5, Rng(0)).held_out.size(), 0);
  for (const double fraction : {0.0, -1.0, 1.1, std::nan("")})
    EXPECT_THAT(error_of([&] { split_rows(unlabelled(3), fraction, Rng(0)); }, ErrorKind::argument),
                HasSubstr("expected 0 < training_fraction <= 1"));
  EXPECT_FALSE(split_rows(unlabelled(4), 0.5, Rng(0)).training.labels.defined());
}

}  // namespace
}  // namespace fokker
