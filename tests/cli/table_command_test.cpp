// A table of columns of every kind through all the commands that use a model.
#include "cli/inside.h"
#include "fokker/data/csv/csv_text.h"
#include "fokker/table/dates.h"

namespace fokker {
namespace {

class TableCommand : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    const Rng rng(5);
    const Tensor u = rng.uniform({rows, 5}, {}, at::kDouble);
    std::string text = "kids,job,debt,day,code\n";
    for (int64_t i = 0; i < rows; ++i) {
      const auto at = [&](int64_t j) { return u[i][j].item<double>(); };
      const int kids = static_cast<int>(at(0) * at(0) * 12);
      const std::string job = at(1) < 0.1 ? " ?" : at(1) < 0.4 ? " cook" : " guard";
      const double debt = at(2) < 0.6 ? 0 : std::exp(3 * at(3)) * 100;
      text += fmt::format("{},{},{:.2f},2024-{:02}-{:02},{}\n", kids, job, debt,
                          1 + static_cast<int>(at(4) * 12), 1 + static_cast<int>(at(3) * 28), kids * 7 + 3);
    }
    write("t.csv", text);
    ASSERT_EQ(run("train --data t.csv --out run --steps 60 --batch 128 --width 32 --depth 1 --quiet").code,
              0);
  }
  /// Cells of each row, without the header.
  static std::vector<std::vector<std::string>> cells_of(const std::string& file) {
    std::vector<std::vector<std::string>> cells;
    std::istringstream lines(read_file(file));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) cells.push_back(split_cells(line, {','}));
    return cells;
  }
  void samples_are_such_rows();
  void latents_carry_rows_there_and_back();
  void likelihood_is_bounded_by_the_entropy();
  void scores_are_of_the_models_space();
  void the_report_reads_the_rows_again();
  void plain_numbers_are_refused_where_there_are_texts();
  void another_run_takes_the_place_of_a_tables();
  static constexpr int64_t rows = 600;
};

void TableCommand::samples_are_such_rows() {
  ASSERT_EQ(run("sample run --n 500 --out s.csv --quiet").code, 0);
  const std::string text = read_file("s.csv");
  EXPECT_THAT(text, ::testing::StartsWith("kids,job,debt,day,code\n"));
  int zeros = 0, missing = 0;
  for (const auto& row : cells_of("s.csv")) {
    const int kids = std::stoi(row[0]);
    EXPECT_TRUE(kids >= 0 && kids < 12) << row[0];
    EXPECT_EQ(std::stoi(row[4]), kids * 7 + 3);  // a column that follows from another
    EXPECT_TRUE(row[1] == "cook" || row[1] == "guard" || row[1] == "?") << row[1];
    EXPECT_EQ(row[2].size() - row[2].find('.'), 3u) << row[2];
    EXPECT_GE(std::stod(row[2]), 0);
    // Days up to 28 were seen, sparsely: those after them come, of the calendar and of the span.
    const auto day = parse_date(*DateFormat::parse("%Y-%m-%d"), row[3]);
    EXPECT_TRUE(day && row[3] >= "2024-01-01" && row[3] <= "2024-12-28") << row[3];
    zeros += std::stod(row[2]) == 0;
    missing += row[1] == "?";
  }
  EXPECT_THAT(text, HasSubstr(", guard,"));  // the blank too
  EXPECT_NEAR(zeros / 500.0, 0.6, 0.12);
  EXPECT_NEAR(missing / 500.0, 0.1, 0.08);
  const Json found = answer("evaluate --samples s.csv --reference t.csv").json;
  EXPECT_LT(found["shape_error"].get<double>(), 0.1);
  for (const auto& column : found["impossible"].items()) EXPECT_EQ(column.value(), 0) << column.key();
}

void TableCommand::latents_carry_rows_there_and_back() {
  ASSERT_EQ(run("encode run --data t.csv --out z.npy --quiet").code, 0);
  ASSERT_EQ(run("decode run --data z.npy --out back.csv --quiet").code, 0);
  const auto before = cells_of("t.csv"), after = cells_of("back.csv");
  ASSERT_EQ(after.size(), before.size());
  int same = 0;
  for (size_t i = 0; i < before.size(); ++i) same += before[i] == after[i];
  EXPECT_GT(same, 0.95 * static_cast<double>(rows));  // a cent is less than the flow is followed to
}

// All columns but one are probabilities: no model's mean is above minus the entropy of the data.
void TableCommand::likelihood_is_bounded_by_the_entropy() {
  const Json found = answer("likelihood run --data t.csv --rows 200").json;
  EXPECT_EQ(found["bound"], "lower");
  EXPECT_EQ(found["densities"].size(), 0u);
  EXPECT_EQ(found["probabilities"].size(), 5u);
  // kids: twelve values; debt: a zero in 6 of 10 rows, and jobs.
  EXPECT_LT(found["nats"].get<double>(), -(0.673 + 0.898));
  EXPECT_GT(found["nats"].get<double>(), -60);
}

void TableCommand::scores_are_of_the_models_space() {
  const Outcome scored = run("score run --data t.csv --time 0.3 --out score.csv");
  ASSERT_EQ(scored.code, 0) << scored.err;
  EXPECT_THAT(scored.err, HasSubstr("it is that of the model's space"));
  const std::string text = read_file("score.csv");
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "debt,day,job= cook,job= guard,job=missing,debt=number,debt=0,kids");
}

void TableCommand::the_report_reads_the_rows_again() {
  const Outcome reported = run("report run");
  ASSERT_EQ(reported.code, 0) << reported.err;
  EXPECT_THAT(reported.err, ::testing::Not(HasSubstr("cannot be read again")));
  EXPECT_THAT(read_file("run/report.html"), HasSubstr("rows of 5 columns"));
}

void TableCommand::plain_numbers_are_refused_where_there_are_texts() {
  EXPECT_THAT(refusal("train --data t.csv --out other --predict noise --quiet"),
              HasSubstr("texts or missing cells"));
  EXPECT_EQ(
      run("train --data t.csv --columns kids,debt --out other --predict noise --steps 5 --quiet --no-report")
          .code,
      0);
  EXPECT_FALSE(std::filesystem::exists("other/schema.json"));
}

// Its schema goes with it.
void TableCommand::another_run_takes_the_place_of_a_tables() {
  const std::string few = " --steps 5 --quiet --no-report --overwrite --out other";
  ASSERT_EQ(refusal("train --data t.csv" + few), "");
  EXPECT_TRUE(std::filesystem::exists("other/schema.json"));
  ASSERT_EQ(refusal("train --data t.csv --columns kids,debt --predict noise" + few), "");
  EXPECT_FALSE(std::filesystem::exists("other/schema.json"));
}

// One training for all of them.
TEST_F(TableCommand, GoesThroughEveryCommand) {
  samples_are_such_rows();
  latents_carry_rows_there_and_back();
  likelihood_is_bounded_by_the_entropy();
  scores_are_of_the_models_space();
  the_report_reads_the_rows_again();
  plain_numbers_are_refused_where_there_are_texts();
  another_run_takes_the_place_of_a_tables();
}

}  // namespace
}  // namespace fokker
