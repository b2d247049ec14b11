// Labels as the user's data has them, from training to sampling.
#include "cli/inside.h"

namespace fokker {
namespace {

class LabelCommand : public CliInside {
 protected:
  /// Two classes at -8 and 8 of column x, of which `first` and `second` are the labels in column y.
  void write_classes(const std::string& name, const std::string& first, const std::string& second) const {
    const Tensor noise = Rng(5).normal({600}, {}, at::kDouble);
    std::string text = "x,y\n";
    for (int i = 0; i < 600; ++i)
      text += fmt::format("{},{}\n", noise[i].item<double>() + (i % 2 ? 8 : -8), i % 2 ? second : first);
    write(name, text);
  }
  static void train(const std::string& data, const std::string& more = "--label-column y") {
    ASSERT_EQ(refusal("train --data " + data + " --out run --overwrite --steps 300 --batch 128 --width 32 " +
                      "--depth 2 --no-report --quiet " + more),
              "");
  }
  double mean_of(const std::string& label) const {
    EXPECT_EQ(refusal("sample run --n 200 --steps 10 --out s.csv --quiet --label=" + label), "");
    return average(load_csv(path("s.csv")).values);
  }
};

TEST_F(LabelCommand, AreThoseOfTheFileAndNoOthers) {
  const std::pair<std::string, std::string> pairs[] = {{"1", "2"}, {"2000000000", "-1"}, {"rose", "iris"}};
  for (const auto& [first, second] : pairs) {
    write_classes("d.csv", first, second);
    train("d.csv");
    EXPECT_LT(mean_of(first), -4) << first;
    EXPECT_GT(mean_of(second), 4) << second;
    for (const char* other : {"0", "3", "4", "-2", "Rose", "1.5"})
      EXPECT_THAT(refusal(fmt::format("sample run --label={} --n 10 --out t.csv", other)),
                  HasSubstr("label: expected one of those in training, "));
    EXPECT_FALSE(fs::exists(path("t.csv")));
    const Json inspected = answer("inspect run").json, labels = inspected["labels"];
    EXPECT_EQ(inspected["label_column"], "y");
    EXPECT_THAT(labels.get<std::vector<std::string>>(), ::testing::UnorderedElementsAre(first, second));
  }
  EXPECT_THAT(run("sample run --label=bee --n 10 --out t.csv").err,
              HasSubstr("iris, rose, but received 'bee'"));
}

TEST_F(LabelCommand, GuidanceAndLabelsNeedWhatTheyAreFor) {
  write_classes("d.csv", "1", "2");
  train("d.csv");
  const std::string sample = "sample run --n 10 --out t.csv ";
  EXPECT_THAT(refusal(sample + "--guidance 5"), HasSubstr("guidance: expected --label or --given too"));
  EXPECT_THAT(refusal(sample + "--guidance nan --label 1"),
              HasSubstr("guidance: expected a number but received 'nan'"));
  EXPECT_THAT(answer(sample).said, HasSubstr("no --label: samples of any class"));
  write_points(100);
  train("points.csv", "");
  EXPECT_THAT(refusal(sample + "--label 1"), HasSubstr("label: run was trained without labels"));
}

// A class and cells of a table are given together; a class is no cell.
TEST_F(LabelCommand, GoTogetherWithGivenCells) {
  std::string text = "age,job,kind\n";
  for (int i = 0; i < 200; ++i)
    text += fmt::format("{},{},{}\n", 20 + i * 37 % 50, i % 3 ? "cook" : "guard", i % 2 ? "tame" : "wild");
  write("d.csv", text);
  ASSERT_EQ(
      refusal("train --data d.csv --label-column kind --out run --steps 10 --width 8 --depth 1 --batch 64 "
              "--no-report --quiet"),
      "");
  const std::string sample = "sample run --n 20 --steps 4 --out s.csv --label wild --given job=guard ";
  EXPECT_EQ(answer(sample + "--given age=30..60").json["label"], "wild");
  std::istringstream lines(read_file(path("s.csv")));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "age,job");
  int rows = 0;
  for (; std::getline(lines, line); ++rows) EXPECT_THAT(line, ::testing::MatchesRegex("[3-6][0-9],guard"));
  EXPECT_EQ(rows, 20);
  EXPECT_THAT(refusal(sample + "--guidance 2"), HasSubstr("guidance: expected a weight of 1 beside known"));
  EXPECT_THAT(refusal("sample run --n 2 --out s.csv --given kind=wild"), HasSubstr("one of age, job"));
  write("gaps.csv", "age,job,kind\n33,,wild\n,cook,tame\n");
  EXPECT_EQ(answer("impute run --data gaps.csv --out f.csv --steps 4").json["filled_cells"], 2);
  EXPECT_THAT(read_file(path("f.csv")),
              ::testing::MatchesRegex("age,job,kind\n33,(cook|guard),wild\n[0-9]+,cook,tame\n"));
  write("gaps.csv", "age,job,kind\n33,,lost\n");
  EXPECT_THAT(refusal("impute run --data gaps.csv --out f.csv", ErrorKind::input),
              HasSubstr("gaps.csv: line 2: column 'kind': expected a label of the training"));
}

TEST_F(LabelCommand, RealNumbersAreRefusedAndIdentifiersSaid) {
  write("d.csv", "x,y\n1,0.5\n2,1\n");
  EXPECT_THAT(refusal("train --data d.csv --label-column y --out run", ErrorKind::input),
              HasSubstr("d.csv: expected labels that are text or whole numbers but found '0.5'"));
  std::string text = "x,id\n";
  for (int i = 0; i < 50; ++i) text += fmt::format("{},{}\n", i * i, 1000 + i);
  write("d.csv", text);
  EXPECT_THAT(answer("train --data d.csv --label-column id --out run --dry-run").said,
              HasSubstr("50 different labels in 50 rows"));
}

}  // namespace
}  // namespace fokker
