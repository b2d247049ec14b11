// Conditions on columns of a table, and its missing cells.
#include "cli/inside.h"
#include "fokker/data/csv/csv_text.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

class GivenCommand : public CliInside {
 protected:
  /// A run of a few steps: what its rows are like does not matter here, only which cells they have.
  void SetUp() override {
    CliInside::SetUp();
    std::string text = "age,job,size,pay\n";
    for (int i = 0; i < 300; ++i)
      text += fmt::format("{}, {},{},{:.2f}\n", 20 + i * 37 % 50, i % 5 ? i % 2 ? "cook" : "guard" : "?",
                          1 + i % 3, 0.25 * (i * 53 % 100));
    write("people.csv", text);
    ASSERT_EQ(refusal("train --data people.csv --out run --steps 20 --width 8 --depth 1 --batch 64 --quiet"),
              "");
  }
  /// Rows of cells, the header first.
  std::vector<std::vector<std::string>> cells(const std::string& file) const {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(read_file(path(file)));
    for (std::string line; std::getline(lines, line);) {
      rows.emplace_back();
      CellReader reader(line, {});
      while (reader.next()) rows.back().emplace_back(reader.written());
    }
    return rows;
  }
};

TEST_F(GivenCommand, SamplesRowsThatMeetThem) {
  const Json json = answer("sample run --given job=?  --given age=30..40 --n 20 --steps 5 --out s.csv").json;
  EXPECT_EQ(json["n"], 20);
  EXPECT_GE(json["drawn"], 20);
  const auto rows = cells("s.csv");
  ASSERT_EQ(rows.size(), 21);
  for (size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][1], " ?");
    const double age = std::stod(rows[i][0]);
    EXPECT_TRUE(age >= 30 && age <= 40) << age;
  }
  EXPECT_THAT(refusal("sample run --given age=99 --out s.csv"), HasSubstr("from 20 to 69"));
  EXPECT_THAT(refusal("sample run --given old=1 --out s.csv"), HasSubstr("one of age, job, size, pay"));
  EXPECT_THAT(refusal("sample run --given age=20..30 --trajectory t.npy --out s.csv"),
              HasSubstr("trajectory"));
  EXPECT_THAT(refusal("sample run --sampler ula --out s.csv"), HasSubstr("does not move between the levels"));
  EXPECT_THAT(refusal("sample --target moons --given x0=1 --out s.csv"),
              HasSubstr("given: a target is sampled"));
}

// An empty cell is not given, a mark is given as missing, and --given holds for all rows.
TEST_F(GivenCommand, SamplesRowsOfAFile) {
  write("g.csv", "job,age,extra\n?,33,a\nguard,,b\n,44,c\n");
  EXPECT_EQ(refusal("sample run --given-file g.csv --given size=2 --n 2 --steps 5 --out s.csv"), "");
  const auto rows = cells("s.csv");
  ASSERT_EQ(rows.size(), 7);
  for (size_t i = 1; i < 7; ++i) EXPECT_EQ(rows[i][2], "2");
  for (const size_t i : {1, 2}) EXPECT_EQ(rows[i][0] + rows[i][1], "33 ?");
  for (const size_t i : {3, 4}) EXPECT_EQ(rows[i][1], " guard");
  for (const size_t i : {5, 6}) EXPECT_EQ(rows[i][0], "44");
  EXPECT_EQ(answer("sample run --given-file g.csv --steps 5 --out s.csv").json["n"], 3);
  write("bad.csv", "job,age\ncook,33\nbaker,33\n");
  EXPECT_THAT(refusal("sample run --given-file bad.csv --out s.csv", ErrorKind::input),
              HasSubstr("bad.csv: line 3: column 'job': expected one of cook, guard"));
  write("bad.csv", "age\n199\n");
  EXPECT_THAT(refusal("sample run --given-file bad.csv --out s.csv", ErrorKind::input),
              HasSubstr("bad.csv: line 2: column 'age': 199 lies outside"));
}

TEST_F(GivenCommand, ImputesWhatIsMissing) {
  write("gaps.csv", "note,age,job,pay\n\"a, b\",33, cook,1.5\n x,,guard,\ny,44,?,2.50\nz,50, NA,3\n");
  const Json json = answer("impute run --data gaps.csv --out f.csv --steps 5").json;
  EXPECT_EQ(json["n"], 4);
  EXPECT_EQ(json["filled_cells"], 8);
  EXPECT_TRUE(json["unfilled"].empty());
  const auto rows = cells("f.csv");
  ASSERT_EQ(rows.size(), 5);
  EXPECT_THAT(rows[0], ::testing::ElementsAre("note", "age", "job", "pay", "size"));
  const auto before = cells("gaps.csv");
  for (size_t i = 1; i < 5; ++i)
    for (size_t j = 0; j < 4; ++j) {
      const std::string was(without_blanks(before[i][j]));
      if (was.empty() || was == "?" || was == "NA") {
        EXPECT_FALSE(is_missing_mark(without_blanks(rows[i][j]))) << i << ' ' << j;
      } else {
        EXPECT_EQ(rows[i][j], before[i][j]) << "as it was written";
      }
    }
  for (size_t i = 1; i < 5; ++i) EXPECT_THAT(rows[i][4], ::testing::AnyOf("1", "2", "3"));
}

TEST_F(GivenCommand, ImputesSeveralTimes) {
  write("gaps.csv", "age;job;size;pay\n33;cook;1;1,5\n;;;\n44;guard;2;\n");
  EXPECT_EQ(refusal("impute run --data gaps.csv --out f.csv --steps 5 --draws 3"), "");
  std::istringstream text(read_file("f.csv"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 10);
  EXPECT_EQ(lines[0], "draw;age;job;size;pay");
  for (const size_t draw : {0, 1, 2}) {
    EXPECT_EQ(lines[1 + 3 * draw], fmt::format("{};33;cook;1;1,5", draw));
    EXPECT_THAT(lines[3 + 3 * draw], ::testing::MatchesRegex(fmt::format("{};44;guard;2;[0-9,]+", draw)));
  }
  EXPECT_NE(lines[2].substr(1), lines[5].substr(1));
}

TEST_F(GivenCommand, ImputeRefuses) {
  write("bad.csv", "age,job\n33,cook\n44,baker\n");
  EXPECT_THAT(refusal("impute run --data bad.csv --out f.csv", ErrorKind::input),
              HasSubstr("bad.csv: line 3: column 'job': expected one of cook, guard but received 'baker'"));
  write("bad.csv", "x,y\n1,2\n");
  EXPECT_THAT(refusal("impute run --data bad.csv --out f.csv", ErrorKind::input),
              HasSubstr("expected some of the model's columns age, job, size, pay but its columns are x, y"));
  EXPECT_THAT(refusal("impute run --data people.csv --out f.npy"), HasSubstr("ends in .csv"));
  EXPECT_THAT(refusal("impute run --data people.csv --out f.csv --draws 0"), HasSubstr("draws > 0"));
}

}  // namespace
}  // namespace fokker
