// Rows of a table given some of their cells and a class, where the law given both is known.
#include <gtest/gtest.h>

#include "fokker/train/sample_given.h"
#include "fokker/train/train.h"
#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

constexpr int64_t class_rows = 8000, class_draws = 2000;
constexpr double p_same[] = {0.9, 0.2};   // p(b = a) of each class
constexpr double p_third[] = {0.3, 0.8};  // p(c > 0), whatever a and b are

/// a is 0 or 1 evenly; b is a with the probability of its class; c is 0, 1 or 2.
const Model& two_classes() {
  static const Model model = [] {
    const auto u = [](uint64_t seed) { return Rng(seed).uniform({class_rows}, {}, at::kDouble); };
    const Tensor kind = (u(1) < 0.5).to(at::kLong), a = (u(2) < 0.5).to(at::kDouble);
    const auto by_class = [&](const double(&p)[2]) { return at::where(kind == 0, p[0], p[1]); };
    const Tensor b = at::where(u(3) < by_class(p_same), a, 1 - a);
    const Tensor c = (u(4) < by_class(p_third)).to(at::kDouble) * (1 + (u(5) < 0.5).to(at::kDouble));
    auto schema = std::make_shared<Schema>();
    schema->columns = {level_column("a", 2), level_column("b", 2), level_column("c", 3)};
    Dataset data{.values = at::stack({a, b, c}, 1),
                 .columns = schema->names(),
                 .labels = kind,
                 .label_names = {"tame", "wild"}};
    data.schema = schema;
    Recipe recipe{.held_out = 0};
    recipe.mlp.width = 32;
    recipe.mlp.depth = 2;
    recipe.options.steps = 600;
    recipe.options.batch = 512;
    recipe.options.ema_decay = 0.98;
    return train(data, recipe, Rng(1));
  }();
  return model;
}

double share_of_ones(const Tensor& column) {
  return column.to(at::kDouble).mean().item<double>();
}

// Within the network's error, 0.06, and four errors of the sample.
double near_share(double p) {
  return 0.06 + 4 * std::sqrt(p * (1 - p) / class_draws);
}

TEST(LabelsGiven, BothDecideTheLaw) {
  const Model& model = two_classes();
  for (const int kind : {0, 1})
    for (const int a : {0, 1}) {
      const GivenRows given{
          .copies = class_draws,
          .conditions = parse_conditions(model.table->schema(), {fmt::format("a=level {}", a)})};
      const Dataset found =
          sample_given(model, given, Rng(3), {.steps = 12, .labels = {model.label_names[kind]}}).rows;
      EXPECT_TRUE((found.values.select(1, 0) == a).all().item<bool>());
      EXPECT_NEAR(share_of_ones(found.values.select(1, 1) == a), p_same[kind], near_share(p_same[kind]))
          << kind << a;
      EXPECT_NEAR(share_of_ones(found.values.select(1, 2) > 0), p_third[kind], near_share(p_third[kind]))
          << kind;
      EXPECT_TRUE((found.labels == kind).all().item<bool>());
    }
}

// Ranges keep rows by rejection: the class holds for every round of it.
TEST(LabelsGiven, ClassesHoldBesideRanges) {
  const Model& model = two_classes();
  const GivenRows given{
      .copies = class_draws,
      .conditions = parse_conditions(model.table->schema(), {"b=level 1", "c=level 1|level 2"})};
  const Dataset found = sample_given(model, given, Rng(4), {.steps = 12, .labels = {"wild"}}).rows;
  EXPECT_TRUE((found.values.select(1, 2) > 0).all().item<bool>());
  EXPECT_NEAR(share_of_ones(found.values.select(1, 0)), p_same[1], near_share(p_same[1]));
}

// Each row of a table is filled by the law of its own class.
TEST(LabelsGiven, RowsAreFilledByTheirOwnClasses) {
  const Model& model = two_classes();
  Tensor cells = at::zeros({class_draws, 3}, at::kDouble), known = at::zeros({class_draws, 3}, at::kBool);
  known.select(1, 0).fill_(true);
  std::vector<std::string> labels;
  for (int64_t i = 0; i < class_draws; ++i) labels.push_back(model.label_names[static_cast<size_t>(i % 2)]);
  const Imputation filled = impute(model, {cells, known}, 2, Rng(5), {.steps = 12, .labels = labels});
  for (const auto& [draw, kind] : {std::pair{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
    const Tensor b = filled.cells[draw].select(1, 1);
    EXPECT_NEAR(share_of_ones(b.slice(0, kind, class_draws, 2) == 0), p_same[kind],
                0.06 + 4 * std::sqrt(p_same[kind] * (1 - p_same[kind]) / (class_draws / 2)))
        << kind;
  }
}

}  // namespace
}  // namespace fokker
