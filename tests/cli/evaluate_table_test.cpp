// `fokker evaluate` of tables whose columns are not all plain numbers.
#include "cli/fixture.h"

namespace fokker {
namespace {

/// People of some age, with a debt of 0 in two cases of three, a town that goes with it, and a missing debt
/// now and then.
std::string people(uint64_t seed, int64_t rows, bool smoothed = false) {
  const Tensor z = Rng(seed).normal({rows, 4}, {}, at::kDouble);
  std::string text = "age,debt,town\n";
  for (int64_t i = 0; i < rows; ++i) {
    const double* v = z.data_ptr<double>() + 4 * i;
    const char* town = v[1] > 0.4 ? "Ghent" : v[2] > 0 ? "Breda" : "Lille";
    const double debt = v[1] > 0.4 ? std::exp(v[1] + 0.3 * v[3]) : 0;
    const std::string age =
        smoothed ? fmt::format("{:.3f}", 40 + 8 * v[0]) : fmt::format("{:.0f}", 40 + 8 * v[0]);
    const std::string owed =
        smoothed ? fmt::format("{:.4f}", debt + 0.01 * v[3]) : fmt::format("{:.4f}", debt);
    text += fmt::format("{},{},{}\n", age, v[3] > 1.8 ? "?" : owed, town);
  }
  return text;
}

class CliTables : public Cli {
 protected:
  Json evaluated(const std::string& arguments) const {
    const Outcome outcome = run("evaluate --json --quiet " + arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return Json::parse(outcome.out);
  }
};

TEST_F(CliTables, ComparesTypedTablesBesideHeldOutRows) {
  write("training.csv", people(1, 600));
  write("held-out.csv", people(2, 600));
  write("good.csv", people(3, 600));
  write("smoothed.csv", people(4, 600, true));
  const std::string real = " --reference training.csv --held-out held-out.csv";
  const Json good = evaluated("--samples good.csv" + real), bad = evaluated("--samples smoothed.csv" + real);
  EXPECT_NEAR(good["detection_auc"].get<double>(), 0.5, 4 * good["detection_standard_error"].get<double>());
  EXPECT_GT(good["p_value"].get<double>(), 0.001);
  EXPECT_GT(bad["detection_auc"].get<double>(), 0.9);
  EXPECT_LT(bad["p_value"].get<double>(), 0.01);
  EXPECT_GT(bad["shape_error"].get<double>(), 3 * good["shape_error"].get<double>());
  EXPECT_GT(bad["impossible"].get<int64_t>(), 500);
  EXPECT_LT(good["impossible"].get<int64_t>(), 20);
  EXPECT_EQ(good["real"]["rows"], 600);
  EXPECT_EQ(good["utility"]["target"], "town");
  EXPECT_EQ(good["table_columns"][2]["kind"], "categorical");
  EXPECT_EQ(good["trend_pairs"]["compared"], 3);
  EXPECT_EQ(good["number_columns"].size(), 2);
  const Json numbers = evaluated("--samples good.csv --target debt" + real);
  EXPECT_EQ(numbers["utility"]["measure"], "r2");
  const Outcome text = run("evaluate --samples smoothed.csv" + real);
  for (const char* part : {"shape error", "trend error", "detection AUC", "utility", "copies",
                           "impossible cells", "held-out rows", "town (categorical)"})
    EXPECT_THAT(text.out, HasSubstr(part));
  expect_refusal("evaluate --samples good.csv --reference training.csv --target town", 2, "--held-out FILE");
  expect_refusal("evaluate --samples good.csv --target place" + real, 2, "place");
}

// Rows that were copied are counted; what needs held-out rows is null.
TEST_F(CliTables, CountsCopies) {
  write("training.csv", people(1, 300));
  write("samples.csv", people(5, 300) + people(1, 7).substr(std::string("age,debt,town\n").size()));
  const Json json = evaluated("--samples samples.csv --reference training.csv");
  EXPECT_GE(json["copies"].get<int64_t>(), 7);
  EXPECT_TRUE(json["nearer_to_training"].is_null());
  EXPECT_TRUE(json["utility"].is_null());
}

// Categories alone: what is measured of numbers is null, the tests are not.
TEST_F(CliTables, OfCategoriesAlone) {
  std::string x = "a,b\n", y = x, z = x;
  for (int i = 0; i < 300; ++i) {
    x += fmt::format("{},{}\n", i % 3 ? "red" : "green", i % 2 ? "yes" : "no");
    y += fmt::format("{},{}\n", i % 3 ? "red" : "green", i % 3 ? "yes" : "no");
    z += fmt::format("{},{}\n", i % 3 ? "red" : "blue", i % 2 ? "yes" : "no");
  }
  write("x.csv", x);
  write("y.csv", y);
  write("z.csv", z);
  const Json json = evaluated("--samples y.csv --reference x.csv");
  EXPECT_TRUE(json["energy_distance"].is_null());
  EXPECT_LT(json["p_value"].get<double>(), 0.01);
  // (1/3, 1/3, 1/6, 1/6) and (2/3, 0, 0, 1/3).
  EXPECT_NEAR(json["trend_error"].get<double>(), 0.5, 1e-12);
  const Json unseen = evaluated("--samples z.csv --reference x.csv");
  EXPECT_EQ(unseen["impossible"], 100);
  EXPECT_EQ(unseen["table_columns"][0]["impossible"]["unreadable"], 100);
  EXPECT_NEAR(unseen["shape_error"].get<double>(), 1.0 / 6, 1e-12);
}

// Plain numbers have the measures of tables too, after the others.
TEST_F(CliTables, OfPlainNumbers) {
  const Tensor x = Rng(1).normal({200, 2}, {}, at::kDouble), y = Rng(2).normal({300, 2}, {}, at::kDouble);
  save_csv(path("x.csv"), x, {"a", "b"});
  save_csv(path("y.csv"), y, {"a", "b"});
  save_csv(path("z.csv"), Rng(3).normal({300, 2}, {}, at::kDouble), {"a", "b"});
  const Json json = evaluated("--samples x.csv --reference y.csv --held-out z.csv");
  EXPECT_GT(json["energy_distance"].get<double>(), -1);
  EXPECT_LT(json["shape_error"].get<double>(), 0.2);
  EXPECT_EQ(json["impossible"], 0);
  EXPECT_EQ(json["real"]["rows"], 300);
  EXPECT_EQ(json["utility"]["target"], "b");
}

}  // namespace
}  // namespace fokker
