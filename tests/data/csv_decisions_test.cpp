// What is decided about a file of delimited text that does not say how it is written.
#include "data/csv_files.h"
#include "fokker/core/random/rng.h"

namespace fokker {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Lines of normal numbers with that many digits.
std::string normal_lines(int64_t rows, std::vector<double> means, const char* separator = ",") {
  const Tensor z = Rng(1).normal({rows, std::ssize(means)}, {}, at::kDouble);
  std::string text;
  for (int64_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < means.size(); ++j)
      text += fmt::format("{:.5f}{}", means[j] + z[i][static_cast<int64_t>(j)].item<double>(),
                          j + 1 < means.size() ? separator : "\n");
  return text;
}

TEST_F(CsvDecisions, LinesEndInAnyWay) {
  const Tensor expected = rows_of({1, 2, 3, 4, 5, 6}, 2);
  const std::vector<std::string> ab = {"a", "b"}, none = {"x0", "x1"};
  for (const std::string end : {"\n", "\r\n", "\r"})
    for (const std::string last : {"", end.c_str()}) {
      expect("a,b" + end + "1,2" + end + "3,4" + end + "5,6" + last, ab, expected);
      expect("1,2" + end + "3,4" + end + "5,6" + last, none, expected);
    }
  expect("a,b\r1,2\r\n3,4\n5,6\r", ab, expected);
  expect("a,b\r\r1,2\r\r\n\r\n3,4\n\n5,6\r\r", ab, expected);
  // Lines are counted as they are seen in an editor.
  EXPECT_THAT(refusal("a,b\r1,2\r\n3,4\nx,6\r"), HasSubstr("line 4: column 'a'"));
  // A line end in quotes belongs to the cell.
  const Dataset data = load("a,note\r1,\"two\rlines\"\r3,\"and\r\nmore\"\r", {.columns = {"a"}});
  EXPECT_TRUE(data.values.equal(rows_of({1, 3}, 1)));
  EXPECT_THAT(refusal("a,note\r1,\"two\rlines\"\rx,\"\"\r", {.columns = {"a"}}), HasSubstr("line 4"));
}

// The reader's buffer ends between a carriage return and its line feed, and between two of them.
TEST_F(CsvDecisions, LineEndsMayFallOnTheEndOfTheBuffer) {
  for (const char* end : {"\r\n", "\r"})
    for (int shift = 0; shift < 3; ++shift) {
      std::string text(static_cast<size_t>(shift), ' ');
      constexpr int64_t rows = 350'000;
      for (int64_t i = 0; i < rows; ++i) text += fmt::format("{}{}", i % 10, end);
      const Dataset data = load(text);
      ASSERT_EQ(data.size(), rows) << shift;
      EXPECT_TRUE(data.values.select(1, 0).equal(at::arange(rows, at::kDouble).remainder(10)));
    }
}

// As R's write.table writes a data frame: the names of the rows have no name themselves.
TEST_F(CsvDecisions, TheFirstLineMayLeaveOutTheNamesOfRows) {
  const Tensor expected = rows_of({1.5, 2.5, 3.5, 4.5, 5.5, 6.5}, 2);
  for (const char* text :
       {"a,b\n1,1.5,2.5\n2,3.5,4.5\n3,5.5,6.5\n", "a b\nx 1.5 2.5\ny 3.5 4.5\nz 5.5 6.5\n",
        "\"a\"\t\"b\"\n\"Mazda RX4\"\t1.5\t2.5\n\"Fiat\"\t3.5\t4.5\n\"Volvo\"\t5.5\t6.5\n"}) {
    const Dataset data = load(text);
    EXPECT_THAT(data.columns, ElementsAre("a", "b")) << text;
    EXPECT_TRUE(data.values.equal(expected)) << text;
    EXPECT_THAT(data.notes, Contains(HasSubstr("holds names of the rows")));
  }
  const Dataset kept = load("a,b\n7,1.5,2.5\n8,3.5,4.5\n", {.columns = {"b", "x0"}});
  EXPECT_TRUE(kept.values.equal(rows_of({2.5, 7, 4.5, 8}, 2)));
  // A single long row, or cells that only end in a separator, are mistakes.
  EXPECT_THAT(refusal("a,b\n1,2\n1,2,3\n"), HasSubstr("line 3: expected 2 columns but found 3"));
  EXPECT_THAT(refusal("a,b\n1,2,\n3,4,\n"), HasSubstr("the line ends in a separator"));
  EXPECT_THAT(refusal("1,2\n1,2,3\n4,5,6\n"), HasSubstr("line 2: expected 2 columns but found 3"));
}

TEST_F(CsvDecisions, APointerToAFileElsewhereIsNoTable) {
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
              HasSubstr("a pointer of Git LFS"));
}

TEST_F(CsvDecisions, NamesMayBeNumbers) {
  // As pandas writes a table without names.
  const Dataset data = load("0,1,2\n" + normal_lines(500, {100, 200, 300}));
  EXPECT_THAT(data.columns, ElementsAre("0", "1", "2"));
  EXPECT_EQ(data.size(), 500);
  EXPECT_THAT(data.notes, ElementsAre("comma, header, 500 rows, 3 columns"));
  EXPECT_THAT(data.doubts, IsEmpty());
  // Within the range of the values it is a guess, and said to be one.
  for (const char* header : {"0,1,2\n", "1,2,3\n", "0;1;2\n"}) {
    const Dataset near = load(header + normal_lines(50, {0, 0, 0}, header[1] == ';' ? ";" : ","));
    EXPECT_EQ(near.size(), 50);
    ASSERT_EQ(near.doubts.size(), 1u);
    EXPECT_THAT(near.doubts[0], HasSubstr("is taken for the names"));
    EXPECT_THAT(near.doubts[0], HasSubstr("give header no"));
  }
  // Years above measurements.
  EXPECT_EQ(load("2018,2019,2020\n" + normal_lines(20, {0, 0, 0})).size(), 20);
  // Names may be numbers beside others that are not.
  EXPECT_THAT(load("id,2019,2020\n5,1.5,2.5\n7,3.5,4.5\n").columns, ElementsAre("id", "2019", "2020"));
  // What was given overrules.
  const std::string text = "0,1\n" + normal_lines(20, {0, 0});
  EXPECT_EQ(load(text, {.format = {.header = false}}).size(), 21);
  EXPECT_EQ(load(text, {.format = {.header = true}}).size(), 20);
  EXPECT_THAT(load(text, {.format = {.header = true}}).doubts, IsEmpty());
}

TEST_F(CsvDecisions, ARowOfNumbersIsNoHeader) {
  for (const std::string text : {
           "0,1,2\n3,4,5\n6,7,8\n",                  // a table that goes on counting
           "0,1\n1,0\n0,1\n1,1\n",                   // bits
           "0,1\n0.1,0.995\n0.2,0.98\n0.3,0.955\n",  // a time from 0, and the cosine of it
           "0\n0.5\n0.25\n0.75\n",                   // one column of numbers
           "5.1,3.5\n4.9,3.0\n4.7,3.2\n",            // plain rows
           "2,1,0\n0.5,0.5,0.5\n0.1,0.2,0.3\n",      // falling numbers
           "1,2,4\n0.5,0.5,0.5\n0.1,0.2,0.3\n",      // unequal steps
           "0,1,2\n",                                // nothing to compare with
       }) {
    const Dataset data = load(text);
    EXPECT_EQ(data.size(), std::count(text.begin(), text.end(), '\n')) << text;
    EXPECT_EQ(data.columns[0], "x0");
    EXPECT_THAT(data.doubts, IsEmpty()) << text;
  }
  // Where it could have been names, that is said.
  EXPECT_THAT(load("0,1\n1,0\n0,1\n").notes.back(), HasSubstr("give header yes"));
  EXPECT_EQ(load("5.1,3.5\n4.9,3.0\n").notes.size(), 1u);
}

// No header, and a column of text: what comes again is no name (as the file of Fisher's irises is written).
TEST_F(CsvDecisions, ARowWithALabelIsNoHeader) {
  const Dataset data = load("5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n", {.label_column = "x2"});
  EXPECT_TRUE(data.values.equal(rows_of({5.1, 3.5, 4.9, 3.0, 6.3, 3.3}, 2)));
  EXPECT_THAT(data.label_names, ElementsAre("setosa", "virginica"));
  EXPECT_THAT(refusal("5.1,setosa\n4.9,setosa\n"), HasSubstr("line 1: column 'x1': expected a number"));
  // Decimals are no names either.
  EXPECT_THAT(refusal("5.1,setosa\n4.9,virginica\n"), HasSubstr("line 1: column 'x1'"));
  // A missing value is not a name.
  EXPECT_THAT(refusal("1,NA\n2,3\n"), HasSubstr("line 1: column 'x1': expected a number but found 'NA'"));
  EXPECT_THAT(refusal("1,\n2,3\n"),
              HasSubstr("line 1: column 'x1': expected a number but the cell is empty"));
}

TEST_F(CsvDecisions, TheSeparatorDividesAllLinesAlike) {
  const Tensor expected = rows_of({1, 2, 3, 4}, 2);
  expect("\"a;b\",c\n1,2\n3,4\n", {"a;b", "c"}, expected);
  expect("a;b,c\n1,2\n3,4\n", {"a;b", "c"}, expected);
  expect("a,b;c\n1;2\n3;4\n", {"a,b", "c"}, expected);
  expect("a b,c d\n1,2\n3,4\n", {"a b", "c d"}, expected);
  expect("a b\tc;d\n1\t2\n3\t4\n", {"a b", "c;d"}, expected);
  expect("a|b;c\n1|2\n3|4\n", {"a", "b;c"}, expected);
  expect("a   b\n 1  2\n3\t 4 \n", {"a", "b"}, expected);
  expect("a, b\n1, 2\n 3 , 4\n", {"a", "b"}, expected);
  expect("a; b\n1 ;2\n3; 4\n", {"a", "b"}, expected);
  // A column that is not read may hold anything.
  const Dataset notes = load("x,note\n1,one; or two\n2,two; or three\n", {.columns = {"x"}});
  EXPECT_TRUE(notes.values.equal(rows_of({1, 2}, 1)));
  EXPECT_THAT(load("when,x\n2020-01-01 10:00,1.5\n2020-01-02 11:00,2.5\n", {.columns = {"x"}}).columns,
              ElementsAre("x"));
  EXPECT_THAT(refusal("a\t\tb\n1\t\t2\n3\t\t4\n"), HasSubstr("the cell is empty"));
  // Overruled.
  EXPECT_THAT(load("a:b\n1:2\n", {.format = {.separator = ':'}}).columns, ElementsAre("a", "b"));
  EXPECT_THAT(refusal("a,b\n1,2,3\n", {.format = {.separator = ';'}}), HasSubstr("line 2: column 'a,b'"));
  EXPECT_TRUE(load("1 2\n3 4\n", {.format = {.separator = ' '}}).values.equal(expected));
}

TEST_F(CsvDecisions, DecimalsMayFollowACommaOfTheirOwn) {
  const Tensor expected = rows_of({1.5, 2.25, 3.5, -4}, 2);
  expect("a;b\n1,5;2,25\n3,5;-4\n", {"a", "b"}, expected);
  expect("1,5;2,25\n3,5;-4,0\n", {"x0", "x1"}, expected);
  expect("a\tb\n1,5\t2,25\n3,5\t-4e0\n", {"a", "b"}, expected);
  expect("1,5 2,25\n3,5 -4\n", {"x0", "x1"}, expected);
  expect("a,b\n\"1,5\",\"2,25\"\n\"3,5\",-4\n", {"a", "b"}, expected);
  expect("a;b\n0,125;1,500\n0,250;2,250\n", {"a", "b"}, rows_of({0.125, 1.5, 0.25, 2.25}, 2));
  EXPECT_THAT(load("a;b\n1,5;2\n").notes, ElementsAre("semicolon, header, 1 rows, 2 columns, decimal comma"));
  // Given, or overruled.
  EXPECT_TRUE(load("a;b\n1,234;2\n", {.format = {.decimal = ','}}).values.equal(rows_of({1.234, 2}, 2)));
  EXPECT_TRUE(load("1,5\n2,5\n", {.format = {.separator = ';', .decimal = ','}})
                  .values.equal(rows_of({1.5, 2.5}, 1)));
  EXPECT_THAT(refusal("a;b\n1,5;2\n", {.format = {.decimal = '.'}}),
              HasSubstr("found '1,5' (a decimal comma?"));
  // Beyond the lines that decide.
  std::string late = "a;b\n";
  for (int i = 0; i < 300; ++i) late += fmt::format("{};7\n", i * 3 % 7);
  EXPECT_THAT(refusal(late + "2,5;1\n"),
              HasSubstr("line 302: column 'a': expected a number but found '2,5' (a decimal"));
}

TEST_F(CsvDecisions, RefusesThousands) {
  EXPECT_THAT(
      refusal("a;b\n1,234;2\n5,678;3\n"),
      HasSubstr("line 2: column 'a': expected a number but found '1,234' (a thousands separator, which "
                "is not read, or a decimal comma"));
  EXPECT_THAT(refusal("a,b\n\"1,234\",2\n"), HasSubstr("a thousands separator"));
  EXPECT_THAT(refusal("a,b\n\"1,234.5\",2.5\n"), HasSubstr("'1,234.5' (a thousands separator?"));
  EXPECT_THAT(refusal("a;b\n1.234,5;2,5\n"), HasSubstr("'1.234,5' (a thousands separator?"));
  // Beside a comma that can only be decimal a point separates thousands, unless commas stand between cells.
  EXPECT_THAT(refusal("a;b\n1.234;2,5\n"),
              HasSubstr("column 'a': expected a number but found '1.234' (a point"));
  EXPECT_THAT(refusal("a;b\n1.23;2,5\n"), HasSubstr("column 'b': expected a number but found '2,5'"));
  EXPECT_THAT(refusal("a,b\n1.234,\"2,5\"\n"), HasSubstr("column 'b': expected a number but found '2,5'"));
  EXPECT_THAT(refusal("a;b\n1.234;2,5\n", {.format = {.decimal = ','}}), HasSubstr("'1.234' (a point"));
  EXPECT_THAT(refusal("a,b\n1 234,2\n"), HasSubstr("'1 234' (a thousands separator?"));
  EXPECT_THAT(refusal("a,b\n1'234'567.5,2\n"), HasSubstr("(a thousands separator?"));
  EXPECT_THAT(refusal("a,b\n'3',2\n"), HasSubstr("found ''3'' (to leave"));
}

TEST_F(CsvDecisions, ASeparatorEndsEveryLineOrNone) {
  expect("a,b,c,\n1,4,7,\n2,5,8,\n", {"a", "b", "c"}, rows_of({1, 4, 7, 2, 5, 8}, 3));
  expect("1;4;\n2;5;\n", {"x0", "x1"}, rows_of({1, 4, 2, 5}, 2));
  expect("a\tb\t\r1\t4\t\r2\t5\t\r", {"a", "b"}, rows_of({1, 4, 2, 5}, 2));
  EXPECT_THAT(load("a,b,\n1,4,\n").notes[0], HasSubstr("a separator at the end of each line"));
  EXPECT_THAT(refusal("a,b,c\n1,4,7,\n2,5,8,\n"),
              HasSubstr("line 2: expected 3 columns but found 4 (the line ends in a separator)"));
  EXPECT_THAT(refusal("a,b,c,\n1,4,7\n2,5,8\n"), HasSubstr("line 2: expected 4 columns but found 3"));
  // A value that appears later is not lost.
  std::string text = "a,b,\n";
  for (int i = 0; i < 200; ++i) text += "1.5,2.5,\n";
  EXPECT_THAT(refusal(text + "1,2,3\n"), HasSubstr("line 202: expected nothing after the last separator"));
  EXPECT_THAT(refusal(text + "1,2\n"), HasSubstr("line 202: expected 3 columns but found 2"));
}

TEST_F(CsvDecisions, LeavesOutANamelessCountOfRows) {
  const std::string body = "0,1.5,7.5\n1,2.5,8.5\n2,3.5,9.5\n";
  const Tensor expected = rows_of({1.5, 7.5, 2.5, 8.5, 3.5, 9.5}, 2);
  for (const std::string header : {",a,b\n", "\"\",a,b\n", "Unnamed: 0,a,b\n"}) {
    expect(header + body, {"a", "b"}, expected);
    const Dataset data = load(header + body);
    ASSERT_EQ(data.notes.size(), 2u);
    EXPECT_THAT(data.notes[1], HasSubstr("the unnamed column 1 counts the rows from 0, an index: left out"));
  }
  expect(",0,1\n" + body, {"0", "1"}, expected);
  expect(",a,b\n1,1.5,7.5\n2,2.5,8.5\n3,3.5,9.5\n", {"a", "b"}, expected);
  expect("a,,b\n1.5,0,7.5\n2.5,1,8.5\n3.5,2,9.5\n", {"a", "b"}, expected);
  // By name it is read.
  for (const char* name : {"x0", "Unnamed: 0"})
    EXPECT_TRUE(
        load(",a,b\n" + body, {.columns = {name, "b"}}).values.equal(rows_of({0, 7.5, 1, 8.5, 2, 9.5}, 2)));
  // What does not count is data, and doubtful.
  const Dataset shuffled = load(",a\n7,1.5\n3,2.5\n5,3.5\n");
  EXPECT_THAT(shuffled.columns, ElementsAre("x0", "a"));
  ASSERT_EQ(shuffled.doubts.size(), 1u);
  EXPECT_THAT(shuffled.doubts[0], HasSubstr("the unnamed column 1 is read as data, as x0"));
  // It must count to the last row.
  std::string text = ",a\n";
  for (int i = 0; i < 300; ++i) text += fmt::format("{},{}.5\n", i, i % 7);
  EXPECT_THAT(load(text).columns, ElementsAre("a"));
  EXPECT_THAT(load(text + "7,7.5\n").columns, ElementsAre("x0", "a"));
  // A column that has a name is the user's own, and a word is said.
  EXPECT_THAT(load("i," + text.substr(1)).columns, ElementsAre("i", "a"));
  EXPECT_THAT(load("i," + text.substr(1)).notes.back(), HasSubstr("column 'i' only counts the rows"));
}

}  // namespace
}  // namespace fokker
