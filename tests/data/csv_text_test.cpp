// Text, labels and passages of a file that are no rows.
#include "data/csv_files.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(CsvDecisions, RefusesWhatIsNoText) {
  EXPECT_THAT(refusal(std::string_view("a,b\n1,\0002\n", 10)), HasSubstr("line 2: byte 3: a NUL byte"));
  EXPECT_THAT(refusal(std::string_view("\0a\0,\0b\0\n", 8)), HasSubstr("UTF-16"));
  EXPECT_THAT(refusal(std::string_view("\xfe\xff\0a\0\n\0001\0\n", 10)), HasSubstr("it is UTF-16"));
  const std::string mark = "\xef\xbb\xbf";
  expect(mark + "\"a\",\"b\"\r\n1,2\r\n3,4\r\n", {"a", "b"}, rows_of({1, 2, 3, 4}, 2));
  expect(mark + "1,2\n3,4\n", {"x0", "x1"}, rows_of({1, 2, 3, 4}, 2));
  EXPECT_THAT(refusal(mark), HasSubstr("the file is empty"));
}

TEST_F(CsvDecisions, SaysWhatWasPassedOver) {
  const Dataset data = load("# made by hand\na,b\n1,2\n\n   \n# half time\n3,4\n\n\n");
  EXPECT_THAT(data.notes, ElementsAre("comma, header, 2 rows, 2 columns",
                                      "skipped 2 blank lines and 2 that start with #"));
  EXPECT_THAT(load("7\n\n8\n").notes[1], HasSubstr("skipped 1 blank lines"));
  EXPECT_THAT(load("7\n8\n\n\n").notes, ElementsAre("no header, 2 rows, 1 column"));
  EXPECT_THAT(refusal("a,b\n"), HasSubstr("only a header"));
  EXPECT_THAT(refusal("0,1,2\n", {.format = {.header = true}}), HasSubstr("only a header"));
  EXPECT_THAT(refusal(" a , a \n1,2\n"), HasSubstr("two columns are named 'a'"));
  EXPECT_THAT(load("a,,\n1.5,2,3\n2.5,7,8\n").columns, ElementsAre("a", "x1", "x2"));
}

TEST_F(CsvDecisions, TextIsUtf8OrSaidToBeLatin1) {
  const std::string text =
                        "gr\xf6\xdf"
                        "e,b\n1,2\n3,4\n",
                    names = "größe";
  EXPECT_THAT(refusal(text), HasSubstr("d.csv: line 1: byte 3: expected text in UTF-8 (Latin-1? give the "
                                       "encoding) but found 0xF6"));
  const CsvFormat latin1{.encoding = TextEncoding::latin1};
  EXPECT_THAT(load(text, {.format = latin1}).columns, ElementsAre(names, "b"));
  EXPECT_THAT(load(text, {.format = latin1}).notes[0], HasSubstr("Latin-1"));
  EXPECT_THAT(load(text, {.format = latin1, .columns = {names}}).columns, ElementsAre(names));
  EXPECT_THAT(load(names + ",b\n1,2\n").columns, ElementsAre(names, "b"));
  const std::string labels = "a,y\n1,caf\xe9\n3,th\xe9\n";
  EXPECT_THAT(refusal(labels, {.label_column = "y"}), HasSubstr("line 2: byte 6: expected text in UTF-8"));
  EXPECT_THAT(load(labels, {.format = latin1, .label_column = "y"}).label_names, ElementsAre("café", "thé"));
  // Windows-1252's letters are control characters of Latin-1.
  EXPECT_THAT(refusal("\x80,b\n1,2\n", {.format = latin1}),
              HasSubstr("line 1: byte 1: expected text in Latin-1"));
  // What is not read may be of any encoding, and numbers that are none are named in text that can be shown.
  EXPECT_EQ(load("a,note\n1,\xe9\n", {.columns = {"a"}}).size(), 1);
  EXPECT_THAT(refusal("a,b\n1,\xe9\n"), HasSubstr("found '\\xE9'"));
}

TEST_F(CsvDecisions, TheNumberOfRowsTellsWhetherLabelsHaveAHeader) {
  const auto labels = [&](std::string_view text, int64_t rows) {
    return load_csv_labels(write("l.csv", text), {}, rows);
  };
  EXPECT_THAT(labels("kind\nu\nt\n", 2).names, ElementsAre("t", "u"));
  EXPECT_THAT(labels("kind\nu\nt\n", 3).names, ElementsAre("kind", "t", "u"));
  EXPECT_EQ(labels("u\nt\nu\n", 3).labels.size(0), 3);
  EXPECT_THAT(labels("0\n5\n6\n", 2).names, ElementsAre("5", "6"));
  EXPECT_THAT(labels("class\n5\n6\n", 2).names, ElementsAre("5", "6"));
  EXPECT_THAT(labels("0\n5\n6\n", 3).names, ElementsAre("0", "5", "6"));
  EXPECT_THAT(labels("new york\nlos angeles\n", 2).names, ElementsAre("los angeles", "new york"));
  // As pandas writes a series.
  EXPECT_THAT(labels(",y\n0,5\n1,6\n", 2).names, ElementsAre("5", "6"));
  EXPECT_EQ(labels("u\nt\n", 7).labels.size(0), 2);  // of another number than asked for: load_data refuses it
}

// As files for spreadsheets begin.
TEST_F(CsvDecisions, ALineThatNamesTheSeparatorIsNoData) {
  const Tensor values = rows_of({1.5, 2.5, 3.5, -4}, 2);
  expect("sep=;\r\na;b\r\n1.5;2.5\r\n3.5;-4\r\n", {"a", "b"}, values);
  expect("\xef\xbb\xbfsep=;\na;b\n1,5;2,5\n3,5;-4\n", {"a", "b"}, values);
  expect("SEP=\t\na\tb\n1.5\t2.5\n3.5\t-4\n", {"a", "b"}, values);
  // What is given wins, and only the first line says it.
  EXPECT_EQ(load("sep=,\na;b\n1;2\n", {.format = {.separator = ';'}}).columns,
            (std::vector<std::string>{"a", "b"}));
  EXPECT_THAT(refusal("a;b\nsep=;\n1;2\n"), HasSubstr("line"));
}

TEST_F(CsvDecisions, AColumnOfTextSaysHowToDoWithoutIt) {
  const std::string table = "day,a,b\n2024-01-01,1,2\n2024-01-02,3,4\n";
  EXPECT_THAT(refusal(table), HasSubstr("column 'day'"));
  EXPECT_THAT(refusal(table), HasSubstr("to leave the column out, choose the others by name"));
  EXPECT_THAT(refusal("a,b\n1,2\n3,\n"), HasSubstr("choose the others by name"));
  EXPECT_THAT(refusal(table, {.columns = {"day", "a"}}), ::testing::Not(HasSubstr("choose the others")));
  EXPECT_EQ(load(table, {.columns = {"a", "b"}}).size(), 2);
}

}  // namespace
}  // namespace fokker
