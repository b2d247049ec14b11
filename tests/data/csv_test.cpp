#include "fokker/data/csv/csv.h"

#include <zlib.h>

#include <random>

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Csv : public FolderTest {
 protected:
  Dataset load(std::string_view text, const CsvOptions& options = {}) {
    return load_csv(write("x.csv", text), options);
  }
  std::string refusal(std::string_view text, const CsvOptions& options = {}) {
    return error_of([&] { load(text, options); });
  }
};

Tensor table(std::vector<double> values, int64_t columns) {
  return at::tensor(values, at::kDouble).reshape({-1, columns});
}

TEST_F(Csv, FindsTheHeader) {
  const Dataset with = load("a,b\n1,2\n3,4\n");
  EXPECT_THAT(with.columns, ElementsAre("a", "b"));
  EXPECT_TRUE(with.values.equal(table({1, 2, 3, 4}, 2)));
  const Dataset without = load("1,2\n3,4");
  EXPECT_THAT(without.columns, ElementsAre("x0", "x1"));
  EXPECT_TRUE(without.values.equal(table({1, 2, 3, 4}, 2)));
  EXPECT_EQ(without.source, path("x.csv").string());
}

TEST_F(Csv, FindsTheSeparator) {
  const Tensor expected = table({1, -2.5, 3, 4e3}, 2);
  for (const char* text :
       {"1,-2.5\n3,4e3\n", "1;-2.5\n3;4e3\n", "1\t-2.5\n3\t4e3\n", "1 -2.5\n3   4e3  \n",
        "  1 -2.5\n 3\t4e3\n", "1 , -2.5\n+3 ,\t+4.0E+3 \r\n", "\"1\",\"-2.5\"\n3,\"4e3\"\n"})
    EXPECT_TRUE(load(text).values.equal(expected)) << text;
  EXPECT_TRUE(load("a b;c\n1;2\n").columns == (std::vector<std::string>{"a b", "c"}));
  EXPECT_TRUE(load("7\n8\n").values.equal(table({7, 8}, 1)));
}

TEST_F(Csv, ToleratesWhatEditorsLeave) {
  const Tensor expected = table({1, 2, 3, 4}, 2);
  EXPECT_TRUE(load("\xef\xbb\xbf"
                   "a,b\r\n1,2\r\n\r\n   \r\n# note, with: commas\r\n3,4\r\n\r\n\n")
                  .values.equal(expected));
  EXPECT_THAT(load("\xef\xbb\xbf"
                   "a,b\n1,2\n")
                  .columns,
              ElementsAre("a", "b"));
  EXPECT_TRUE(load("# x y\n1 2\n3 4\n").values.equal(expected));
  EXPECT_THAT(load(",b\n0,1\n").columns, ElementsAre("x0", "b"));
}

TEST_F(Csv, ReadsQuotedCells) {
  const Dataset data = load("\"a,b\",\"say \"\"hi\"\"\",note\n1,2,\"two\nlines\"\n3,4,\"\"\n",
                            {.columns = {"a,b", "say \"hi\""}});
  EXPECT_THAT(data.columns, ElementsAre("a,b", "say \"hi\""));
  EXPECT_TRUE(data.values.equal(table({1, 2, 3, 4}, 2)));
  // The record over two lines counts as two.
  EXPECT_THAT(refusal("a,note\n1,\"two\nlines\"\nx,y\n", {.columns = {"a"}}),
              HasSubstr("line 4: column 'a'"));
  EXPECT_THAT(refusal("a,note\n1,\"two\nlines\n3,4\n"), HasSubstr("line 2: a quoted cell is not closed"));
}

TEST_F(Csv, SelectsColumnsInTheOrderAsked) {
  const std::string text = "a,b,c\n1,x,3\n4,y,6\n";
  const Dataset data = load(text, {.columns = {"c", "a"}});
  EXPECT_THAT(data.columns, ElementsAre("c", "a"));
  EXPECT_TRUE(data.values.equal(table({3, 1, 6, 4}, 2)));
  EXPECT_THAT(refusal(text, {.columns = {"d"}}), HasSubstr("x.csv: no column 'd': expected one of a, b, c"));
  EXPECT_THAT(refusal(text, {.columns = {"a", "a"}}), HasSubstr("column 'a' is asked for twice"));
  EXPECT_THAT(refusal(text, {.columns = {"a"}, .label_column = "a"}), HasSubstr("asked for twice"));
  EXPECT_THAT(refusal(text, {.label_column = "kind"}),
              HasSubstr("no column 'kind': expected one of a, b, c"));
  EXPECT_THAT(refusal("a\n1\n", {.label_column = "a"}), HasSubstr("beside the label column 'a'"));
}

TEST_F(Csv, ReadsLabels) {
  const Dataset text = load("x,kind\n1,rose\n2,iris\n3,rose\n", {.label_column = "kind"});
  EXPECT_THAT(text.columns, ElementsAre("x"));
  EXPECT_THAT(text.label_names, ElementsAre("iris", "rose"));
  EXPECT_TRUE(text.labels.equal(at::tensor({1, 0, 1}, at::kLong)));
  const Dataset numbers = load("kind,x\n10,1\n9,2\n10.0,3\n", {.label_column = "kind"});
  EXPECT_THAT(numbers.label_names, ElementsAre("9", "10"));
  EXPECT_TRUE(numbers.labels.equal(at::tensor({1, 0, 1}, at::kLong)));
  EXPECT_EQ(numbers.label_column, "kind");
  EXPECT_TRUE(numbers.values.equal(table({1, 2, 3}, 1)));
  EXPECT_THAT(refusal("k,x\n0.5,1\n", {.label_column = "k"}), HasSubstr("text or whole numbers"));
  EXPECT_THAT(refusal("k,x\n1.0,1\nnan,1\n", {.label_column = "k"}), HasSubstr("but found 'nan'"));
  EXPECT_THAT(load("k,x\n2e9,1\n-1,2\n", {.label_column = "k"}).label_names, ElementsAre("-1", "2e9"));
  EXPECT_THAT(refusal("k,x\na,1\n,1\n", {.label_column = "k"}),
              HasSubstr("line 3: column 'k': expected a label"));
  EXPECT_THAT(load_csv_labels(write("l.csv", "5\n6\n")).names, ElementsAre("5", "6"));
  EXPECT_THAT(error_of([&] { load_csv_labels(write("l.csv", "5,1\n")); }),
              HasSubstr("expected one column of labels"));
}

TEST_F(Csv, NamesThePlaceOfWhatIsWrong) {
  EXPECT_THAT(refusal("a,b,c\n1,2,3\n4,5\n"), HasSubstr("x.csv: line 3: expected 3 columns but found 2"));
  EXPECT_THAT(refusal("1,2\n\n3,4,5\n"), HasSubstr("line 3: expected 2 columns but found 3"));
  // Told as a row of the wrong length, not by its first cell.
  EXPECT_THAT(refusal("a,b\nx\n"), HasSubstr("line 2: expected 2 columns but found 1"));
  EXPECT_THAT(refusal("a,b\n1,two\n"), HasSubstr("line 2: column 'b': expected a number but found 'two'"));
  EXPECT_THAT(refusal("a,b\n1,2x\n"), HasSubstr("found '2x'"));
  EXPECT_THAT(refusal("a,b\n1,0x10\n"), HasSubstr("found '0x10'"));
  EXPECT_THAT(refusal("a,b\n1,+-2\n"), HasSubstr("found '+-2'"));
  EXPECT_THAT(refusal("a,b\n1,\n"), HasSubstr("line 2: column 'b': expected a number but the cell is empty"));
  EXPECT_THAT(refusal("a,b\n1,2\nnan,3\n"),
              HasSubstr("line 3: column 'a': expected a finite number but found 'nan'"));
  EXPECT_THAT(refusal("1,2\n-inf,3\n"),
              HasSubstr("line 2: column 'x0': expected a finite number but found '-inf'"));
  EXPECT_THAT(refusal("NaN,2\n1,3\n"), HasSubstr("line 1: column 'x0': expected a finite number"));
  EXPECT_THAT(refusal("a\n1e999\n"), HasSubstr("'1e999' is too large"));
  EXPECT_THAT(refusal("a,b,a\n1,2,3\n"), HasSubstr("line 1: two columns are named 'a'"));
  EXPECT_THAT(refusal(""), HasSubstr("the file is empty"));
  EXPECT_THAT(refusal("\n\n# nothing\n"), HasSubstr("the file is empty"));
  EXPECT_THAT(refusal("a,b\n"), HasSubstr("only a header"));
  EXPECT_THAT(refusal(std::string_view("\xff\xfe"
                                       "1\0,\0",
                                       6)),
              HasSubstr("UTF-16"));
  EXPECT_THAT(refusal(fmt::format("a\n{:z>100}\n", "")), HasSubstr(fmt::format("'{:z>40}...'", "")));
  EXPECT_THAT(error_of([&] { load_csv(path("none.csv")); }), HasSubstr("none.csv: no such file"));
}

TEST_F(Csv, ReadsNumbersAsTheNearestDouble) {
  const Dataset data =
      load("0.1\n1e-400\n-1e-400\n4.9e-324\n1.7976931348623157e308\n9007199254740993\n.5\n5.\n");
  const double* value = data.values.data_ptr<double>();
  EXPECT_EQ(value[0], 0.1);
  EXPECT_EQ(value[1], 0.0);
  EXPECT_TRUE(std::signbit(value[2]));
  EXPECT_EQ(value[3], 5e-324);
  EXPECT_EQ(value[4], std::numeric_limits<double>::max());
  EXPECT_EQ(value[5], 9007199254740992.0);
  EXPECT_EQ(value[6], 0.5);
  EXPECT_EQ(value[7], 5.0);
}

TEST_F(Csv, RoundTripsDoublesAndFloatsExactly) {
  std::mt19937_64 bits(1);
  std::vector<double> values;
  while (values.size() < 3000) {
    const double value = std::bit_cast<double>(bits());
    if (std::isfinite(value)) values.push_back(value);
  }
  const Tensor doubles = table(values, 3);
  save_csv(path("d.csv"), doubles, {"a", "b c", "d\"e"});
  const Dataset back = load_csv(path("d.csv"));
  EXPECT_TRUE(back.values.equal(doubles));
  EXPECT_THAT(back.columns, ElementsAre("a", "b c", "d\"e"));
  const Tensor floats = doubles.clamp(-1e30, 1e30).to(at::kFloat);
  save_csv(path("f.csv"), floats);
  EXPECT_TRUE(load_csv(path("f.csv")).values.to(at::kFloat).equal(floats));
  EXPECT_EQ(file_count(), 2u);
}

TEST_F(Csv, WritesTheShortestDigits) {
  std::ostringstream out;
  save_csv(out, at::tensor({0.1f, 2.0f, -1e-7f, 16777216.0f}, at::kFloat).reshape({2, 2}), {"a", "b,c"});
  EXPECT_EQ(out.str(), "a,\"b,c\"\n0.1,2\n-1e-07,16777216\n");
  std::ostringstream whole;
  save_csv(whole, at::tensor({-3, 4}, at::kLong));
  EXPECT_EQ(whole.str(), "x0\n-3\n4\n");
  EXPECT_THAT(error_of(
                  [&] {
                    save_csv(out, at::ones({2, 2}), {"a"});
                  },
                  ErrorKind::argument),
              HasSubstr("expected 2 column names but received 1"));
  EXPECT_THAT(error_of(
                  [&] {
                    save_csv(out, at::ones({2, 2, 2}));
                  },
                  ErrorKind::argument),
              HasSubstr("received (2, 2, 2)"));
}

// Records cross the ends of the reader's blocks at every offset.
TEST_F(Csv, ReadsFilesLongerThanABuffer) {
  std::string text = "a,b\n";
  constexpr int64_t rows = 200'000;
  for (int64_t i = 0; i < rows; ++i) text += fmt::format("{},{}\n", i, 0.5 * static_cast<double>(i));
  const Tensor expected = at::stack({at::arange(rows, at::kDouble), at::arange(rows, at::kDouble) * 0.5}, 1);
  EXPECT_TRUE(load(text).values.equal(expected));
  const gzFile file = gzopen(path("x.csv.gz").c_str(), "wb1");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  EXPECT_TRUE(load_csv(path("x.csv.gz")).values.equal(expected));
  text += "1\n";
  EXPECT_THAT(refusal(text), HasSubstr("line 200002: expected 2 columns but found 1"));
}

// Rows are kept in blocks of about a megabyte, however wide they are.
TEST_F(Csv, ReadsWideRows) {
  std::string text;
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 2000; ++j) text += fmt::format("{}{}", 10'000 * i + j, j + 1 < 2000 ? "," : "\n");
  const Tensor expected = 10'000 * at::arange(3, at::kDouble).unsqueeze(1) + at::arange(2000, at::kDouble);
  EXPECT_TRUE(load_csv(write("wide.csv", text)).values.equal(expected));
}

TEST_F(Csv, BoundsTheLengthOfALine) {
  EXPECT_THAT(refusal("a\n" + std::string(18 << 20, '1')), HasSubstr("line 2: longer than 16 MiB"));
}

}  // namespace
}  // namespace fokker
