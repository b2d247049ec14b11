// Detection and utility: what they see and what they do not.
#include <gmock/gmock.h>

#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/table_comparison.h"
#include "support.h"
#include "tables.h"

namespace fokker {
namespace {

// Two draws of one law: the mean over seeds is 1/2, and the squares of what is left in units of its standard
// error average to 1 (a fifth more is allowed: folds share what they learn from).
TEST(Detection, DoesNotTellDrawsOfOneLawApart) {
  std::vector<double> areas, units;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    const Detection d = detect(mixed_rows(2 * seed + 50, 400), mixed_rows(2 * seed + 51, 700), mixed_schema(),
                               {.seed = seed, .boosting = {.rounds = 30}});
    EXPECT_EQ(d.rows, 400);
    areas.push_back(d.auc);
    units.push_back((d.auc - 0.5) / d.standard_error);
  }
  EXPECT_NEAR(average(vector_of(areas)), 0.5, four_errors(vector_of(areas)));
  EXPECT_LT(average(vector_of(units).square()), 1.2 + 4 * std::sqrt(2.0 / 16));
}

// Zeros that became values near 0, as a smooth density draws them.
TEST(Detection, SeesSmoothedZeros) {
  const Tensor z = normal_rows(1, 4000, 2);
  const Tensor x = at::where(z < 0.25, at::zeros_like(z), z.exp());
  const Tensor smoothed = x.slice(0, 0, 2000) + 0.02 * normal_rows(2, 2000, 2);
  EXPECT_GT(detect(smoothed, x.slice(0, 2000), numbers_schema(2)).auc, 0.95);
}

// Hundreds of columns of 0 and 1, where neighbours are blind.
TEST(Detection, SeesBlurredSparseColumns) {
  const Tensor x = zero_one_rows(3, 400, 300, 0.03);
  const Tensor y = 0.97 * zero_one_rows(4, 400, 300, 0.03) + 0.08 * normal_rows(5, 400, 300);
  EXPECT_GT(detect((y * 1000).round() / 1000, x, numbers_schema(300), {.boosting = {.rounds = 10}}).auc,
            0.99);
}

// The columns are right one by one, but not together.
TEST(Detection, SeesLostDependence) {
  const Tensor x = mixed_rows(6, 3000);
  EXPECT_GT(detect(columns_shuffled(mixed_rows(7, 3000), 8), x, mixed_schema()).auc, 0.75);
}

TEST(Detection, ThreadsChangeNothing) {
  const Tensor x = mixed_rows(9, 600), y = mixed_rows(10, 600);
  const int before = thread_count();
  set_threads(1);
  const double one = detect(x, y, mixed_schema(), {.boosting = {.rounds = 10}}).auc;
  set_threads(3);
  EXPECT_EQ(detect(x, y, mixed_schema(), {.boosting = {.rounds = 10}}).auc, one);
  set_threads(before);
  expect_error([&] { detect(x.slice(0, 0, 9), y, mixed_schema()); }, ErrorKind::argument, "at least 10 rows");
}

// What was learnt from draws of the same law is as good as from the reference; from independent columns it is
// nothing: areas of 1/2.
TEST(Utility, OfClasses) {
  const Tensor training = mixed_rows(11, 3000), test = mixed_rows(12, 3000);
  const Utility same = utility(mixed_rows(13, 5000), training, test, mixed_schema(), 2);
  EXPECT_EQ(same.measure, "auc");
  EXPECT_EQ(same.rows, 3000);
  EXPECT_GT(same.real, 0.7);
  EXPECT_NEAR(same.synthetic, same.real, 0.02);
  const Utility lost = utility(columns_shuffled(training, 14), training, test, mixed_schema(), 2);
  EXPECT_NEAR(lost.synthetic, 0.5, 0.06);
  EXPECT_EQ(lost.real, same.real);
}

// Two classes: one area, with its error. N(0, 1) and N(1, 1) as above.
TEST(Utility, OfTwoClassesIsTheBayesArea) {
  const auto draw = [](uint64_t seed) {
    const Tensor target = zero_one_rows(seed, 8000, 1, 0.5);
    return at::cat({target, normal_rows(seed + 1, 8000, 1) + target}, 1);
  };
  const Schema schema{.columns = {levels_called("class", 2), numbers_called("x")}};
  const Utility u = utility(draw(20), draw(30), draw(40), schema, 0);
  const double bayes = 0.5 * std::erfc(-0.5);
  EXPECT_NEAR(u.synthetic, bayes, 0.015 + 4 * u.synthetic_error);
  EXPECT_NEAR(u.real, bayes, 0.015 + 4 * u.real_error);
  EXPECT_NEAR(u.real_error, std::sqrt(2.86e-5), 0.001);
}

// y = x + noise of variance 1: half of its variance is explained.
TEST(Utility, OfNumbers) {
  const auto draw = [](uint64_t seed) {
    const Tensor x = normal_rows(seed, 6000, 1);
    return at::cat({x, x + normal_rows(seed + 1, 6000, 1)}, 1);
  };
  const Utility u = utility(draw(50), draw(60), draw(70), numbers_schema(2), 1);
  EXPECT_EQ(u.measure, "r2");
  EXPECT_NEAR(u.real, 0.5, 0.06);
  EXPECT_NEAR(u.synthetic, 0.5, 0.06);
}

TEST(Utility, ChoosesAndRefusesTargets) {
  EXPECT_EQ(default_target(mixed_schema()), 3);
  EXPECT_EQ(default_target(numbers_schema(3)), 2);
  const Schema schema{.columns = {levels_called("class", 2), numbers_called("x")}};
  EXPECT_EQ(default_target(schema), 0);
  const Tensor one_class = at::cat({at::zeros({50, 1}, at::kDouble), normal_rows(1, 50, 1)}, 1);
  expect_error([&] { utility(one_class, one_class, one_class, schema, 0); }, ErrorKind::argument,
               "at least two classes");
  expect_error([&] { utility(one_class, one_class, one_class, schema, 2); }, ErrorKind::argument,
               "the target's place");
}

// Everything at once: held-out rows beside the samples, and the order of rows changes nothing that is exact.
TEST(TableComparison, BesideHeldOutRows) {
  const Tensor reference = mixed_rows(80, 600), held_out = mixed_rows(81, 300);
  const Tensor samples = columns_shuffled(reference, 82);
  const TableComparison c = compare_tables(samples, reference, held_out, mixed_schema(), {.target = 2});
  EXPECT_EQ(c.samples.shape.mean, 0);
  EXPECT_GT(c.samples.trend.mean, c.held_out->trend.mean);
  EXPECT_GT(c.samples.detection->auc, c.held_out->detection->auc);
  EXPECT_LT(c.utility->synthetic, c.utility->real);
  EXPECT_EQ(c.utility->target, 2);
  const TableComparison again =
      compare_tables(shuffled(samples, 1), shuffled(reference, 2), {}, mixed_schema());
  EXPECT_NEAR(again.samples.trend.mean, c.samples.trend.mean, 1e-12);
  EXPECT_FALSE(again.utility || again.held_out);
  expect_error([&] { compare_tables(samples, reference, {}, mixed_schema(), {.target = 2}); },
               ErrorKind::argument, "held-out rows");
}

}  // namespace
}  // namespace fokker
