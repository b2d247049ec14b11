#include "cli/fixture.h"
#include "fokker/core/text/json.h"

namespace fokker {
namespace {

using ::testing::Not;

class ReportCommand : public Cli {
 protected:
  /// A small run in "run", of 200 points in points.csv.
  void train_points(const std::string& more = "") const {
    write_points(200);
    const Outcome outcome =
        run("train --data points.csv --out run --steps 30 --width 16 --depth 1 --quiet " + more);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  std::string page() const { return read_file(path("run/report.html")); }
};

TEST_F(ReportCommand, TrainingWritesIt) {
  train_points();
  EXPECT_THAT(page(), HasSubstr("<h1>Report of run</h1>"));
  EXPECT_THAT(page(), HasSubstr("trained on 200 rows of 2 columns from points.csv"));
  EXPECT_THAT(page(), HasSubstr("<summary>Resolved configuration (config.toml)</summary>"));
  EXPECT_THAT(page(), HasSubstr("bound on training rows"));
  train_points("--overwrite --no-report");
  EXPECT_FALSE(fs::exists(path("run/report.html")));
}

TEST_F(ReportCommand, SameRunGivesTheSamePage) {
  train_points();
  const std::string first = page();
  ASSERT_EQ(run("report run --quiet").code, 0);
  EXPECT_TRUE(page() == first);  // not EXPECT_EQ, which would print both
}

TEST_F(ReportCommand, NumbersAsJson) {
  train_points();
  const Outcome outcome = run("report run --out other.html --json --quiet");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["report"], "other.html");
  EXPECT_EQ(json["steps"], 30);
  EXPECT_EQ(json["comparison"]["reference"], 190);
  EXPECT_EQ(json["columns"][1]["column"], "b");
  EXPECT_NEAR(json["columns"][1]["data_mean"].get<double>(), 1e5, 1);
  EXPECT_EQ(json["loss_profile"]["loss"].size(), 20u);
  // No network is below the bound on the training rows, but for the noise of the measurement.
  const Json& profile = json["loss_profile"];
  for (size_t i = 0; i < 20; ++i)
    EXPECT_LE(profile["least"][i].get<double>(),
              profile["training_loss"][i].get<double>() + 4 * profile["standard_error"][i].get<double>());
  EXPECT_TRUE(fs::exists(path("other.html")));
}

TEST_F(ReportCommand, KnownLawGivesTheBayesOptimalLoss) {
  ASSERT_EQ(
      run("train --data target:two-modes --rows 400 --out run --steps 30 --width 16 --depth 1 --quiet").code,
      0);
  EXPECT_THAT(page(), HasSubstr("Bayes-optimal loss"));
  EXPECT_THAT(page(), HasSubstr("fresh draws of the law"));
  EXPECT_THAT(page(), Not(HasSubstr("bound on training rows")));
}

TEST_F(ReportCommand, SaysThatTheDataIsGone) {
  train_points();
  fs::rename(path("points.csv"), path("moved.csv"));
  const Outcome outcome = run("report run --quiet");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(page(), HasSubstr("cannot be read again"));
  EXPECT_THAT(page(), HasSubstr("points.csv: no such file"));
  EXPECT_THAT(page(), HasSubstr("From noise to data"));
  ASSERT_EQ(run("report run --data moved.csv --quiet").code, 0);
  EXPECT_THAT(page(), HasSubstr("bound on training rows"));
  write_points(100);
  expect_refusal("report run --data points.csv", 3,
                 "points.csv: expected the 200 rows of the training but it has 100");
  EXPECT_THAT(page(), HasSubstr("bound on training rows"));
}

TEST_F(ReportCommand, FailureToWriteItIsNoFailureOfTraining) {
  train_points();
  fs::remove(path("run/report.html"));
  fs::create_directories(path("run/report.html/in-the-way"));
  const Outcome again =
      run("train --data points.csv --out run --steps 40 --width 16 --depth 1 --quiet --resume");
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.err, HasSubstr("warning: the model is complete but its report was not written: "));
  EXPECT_EQ(std::count(again.err.begin(), again.err.end(), '\n'), 1) << again.err;
}

TEST_F(ReportCommand, HostileNamesAreText) {
  std::string text =
      "\"<script>alert(1)</script>\",\"a \"\"b\"\" 'c' &amp;\",\"" + std::string(10'000, 'x') + "\"\n";
  const Tensor values = Rng(3).normal({100, 3}, {}, at::kDouble);
  for (int i = 0; i < 100; ++i)
    text += fmt::format("{},{},{}\n", values[i][0].item<double>(), values[i][1].item<double>(),
                        values[i][2].item<double>());
  write("<img src=x>.csv", text);
  const Outcome outcome =
      run("train --data '<img src=x>.csv' --out '<b>run' --steps 10 --width 8 --depth 1 --quiet");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const std::string html = read_file(path("<b>run/report.html"));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(html, Not(HasSubstr("<b>run")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("a &quot;b&quot; &#39;c&#39; &amp;amp;"));
  EXPECT_THAT(html, HasSubstr("from &lt;img src=x&gt;.csv"));
}

TEST_F(ReportCommand, Refusals) {
  expect_refusal("report absent", 3, "absent");
  train_points();
  write("run/metrics.jsonl", "{\"step\": 1, \"loss\": 2}\n{\"step\": 2, \"lo");  // killed while it wrote
  EXPECT_EQ(run("report run").code, 0);
  write("run/metrics.jsonl", "{\"step\": 1, \"loss\": 2}\nnonsense\n");
  expect_refusal("report run", 3,
                 "metrics.jsonl: line 2: expected an object with numbers \"step\" and \"loss\"");
}

}  // namespace
}  // namespace fokker
