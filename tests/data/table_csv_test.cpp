#include "fokker/data/csv/table_csv.h"

#include "data/csv_files.h"
#include "fokker/core/random/rng.h"
#include "fokker/table/cells.h"
#include "fokker/table/describe.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TableCsv : public FolderTest {
 protected:
  TableFile load(std::string_view text, const TableOptions& options = {}) {
    return load_table(write("t.csv", text), options);
  }
  std::string refusal(std::string_view text, const TableOptions& options = {},
                      ErrorKind kind = ErrorKind::input) {
    return error_of([&] { load(text, options); }, kind);
  }
  /// Rows of every kind, as a census has them.
  static std::string census(int64_t rows, uint64_t seed = 1) {
    const Tensor u = Rng(seed).uniform({rows, 5}, {}, at::kDouble);
    std::string text = "id,age,job,debt,since,kids\n";
    for (int64_t i = 0; i < rows; ++i) {
      const auto pick = [&](int64_t j, int levels) {
        return static_cast<int>(u[i][j].item<double>() * levels);
      };
      const std::vector<std::string> jobs = {" Clerk", " Baker, \"old\"", " ?", " Smith"};
      std::string job = jobs[static_cast<size_t>(pick(1, 4))];
      if (job.find(',') != std::string::npos) job = "\" Baker, \"\"old\"\"\"";
      text += fmt::format("{},{},{},{},20{:02}-0{}-1{},{}\n", 100 + i, 17 + pick(0, 70), job,
                          pick(2, 2) ? "0" : fmt::format("{}", 1e5 * u[i][3].item<double>()), pick(3, 20),
                          1 + pick(1, 9), pick(2, 10), pick(4, 5));
    }
    return text;
  }
};

/// A column `a` of texts beside one of numbers.
std::string beside_numbers(const std::vector<std::string>& texts) {
  std::string text = "a;b\n";
  for (size_t i = 0; i < texts.size(); ++i)
    text += fmt::format("{};{}\n", texts[i], 0.25 * static_cast<double>(i));
  return text;
}

// SAS and Stata write a missing number as a point.
TEST_F(TableCsv, APointIsAMissingNumber) {
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) texts.push_back(i % 6 ? fmt::format("{}.25", i) : ".");
  const Dataset data = load(beside_numbers(texts)).data;
  EXPECT_THAT(data.schema->columns[0].missing, ElementsAre("."));
  EXPECT_EQ(data.values.select(1, 0).isnan().sum().item<int64_t>(), 10);
}

// Commas are decimal also where every number has a sign or a unit.
TEST_F(TableCsv, AmountsShowTheDecimalComma) {
  for (const char* shape :
       {"{},{:02} \u20ac", "EUR {},{:02}", "-{},{:02}", "{},{:02} kg", "\u20ac{},{:02}"}) {
    std::string text = "what;price\n";
    for (int i = 0; i < 60; ++i)
      text += fmt::format("{};{}\n", i % 3 ? "desk" : "lamp",
                          fmt::format(fmt::runtime(shape), 3 + i, i * 7 % 100));
    const Dataset data = load(text).data;
    ASSERT_EQ(data.columns.size(), 2u) << shape;
    EXPECT_EQ(data.schema->columns[1].kind, ColumnKind::real) << shape;
    EXPECT_EQ(std::abs(data.values[1][1].item<double>()), 4.07) << shape;
    std::ostringstream out;
    save_table(out, data);
    EXPECT_EQ(out.str(), text);
  }
  // Three digits behind it could as well be thousands, and words are no amounts.
  EXPECT_EQ(load("a;b\n1,234 \u20ac;x\n2,500 \u20ac;y\n9 \u20ac;x\n").data.format.decimal, '.');
  EXPECT_EQ(load("a;b\nroom 1,5;2\nroom 2,5;3\nroom 1,5;5\n").data.format.decimal, '.');
}

TEST_F(TableCsv, WritesWhatItRead) {
  const std::string text = census(400);
  const TableFile file = load(text);
  const Dataset& data = file.data;
  ASSERT_TRUE(data.schema);
  EXPECT_THAT(data.columns, ElementsAre("age", "job", "debt", "since", "kids"));
  EXPECT_EQ(data.schema->columns[0].kind, ColumnKind::integer);
  EXPECT_THAT(data.schema->columns[1].levels, ElementsAre(" Baker, \"old\"", " Clerk", " Smith"));
  EXPECT_THAT(data.schema->columns[1].missing, ElementsAre(" ?"));
  ASSERT_EQ(data.schema->columns[2].spikes.size(), 1u);
  EXPECT_EQ(data.schema->columns[3].date_format, "%Y-%m-%d");
  EXPECT_EQ(data.schema->columns[4].kind, ColumnKind::categorical);
  EXPECT_EQ(data.schema->dropped[0].name, "id");
  EXPECT_EQ(data.notes.back(),
            "6 columns: 1 real, 1 integer, 2 categories (missing in 1), 1 date, 1 dropped");
  save_table(path("again.csv"), data);
  // But for the identifier, byte for byte.
  std::string expected;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) expected += line.substr(line.find(',') + 1) + "\n";
  EXPECT_EQ(read("again.csv"), expected);
  // By the schema the same cells come back, from either file.
  for (const char* name : {"t.csv", "again.csv"}) {
    const Dataset back = load_table(path(name), {.schema = data.schema}).data;
    EXPECT_TRUE(at::equal(back.values.nan_to_num(-1), data.values.nan_to_num(-1))) << name;
    EXPECT_EQ(back.columns, data.columns);
  }
}

TEST_F(TableCsv, PlainNumbersHaveNoSchema) {
  std::ostringstream text;
  const Tensor z = Rng(1).normal({300, 3}, {}, at::kDouble);
  save_csv(text, z);
  const Dataset data = load(text.str()).data;
  EXPECT_FALSE(data.schema);
  EXPECT_TRUE(data.values.equal(z));
  EXPECT_THAT(data.notes, ElementsAre("comma, header, 300 rows, 3 columns"));
  EXPECT_EQ(data.notes, load_csv(path("t.csv")).notes);
  std::ostringstream again;
  save_table(again, data);
  EXPECT_EQ(again.str(), text.str());
  // Rounding to millionths does not show, to hundredths it does.
  for (const auto& [digits, typed] : {std::pair(6, false), {2, true}}) {
    std::string rounded = "a,b\n";
    for (int64_t i = 0; i < 300; ++i)
      rounded += fmt::format("{0:.{2}f},{1:.{2}f}\n", z[i][0].item<double>(), z[i][1].item<double>(), digits);
    EXPECT_EQ(load(rounded).data.schema != nullptr, typed) << digits;
  }
}

TEST_F(TableCsv, WritesInTheFormatThatItRead) {
  const auto rows = [](const std::string& header, const char* separator, char decimal, const char* town) {
    std::string text = header;
    for (int i = 0; i < 60; ++i) {
      std::string pay = i % 5 ? fmt::format("{:.2f}", 0.25 * (i * 53 % 100)) : "?";
      std::replace(pay.begin(), pay.end(), '.', decimal);
      text += fmt::format("{}{sep}{}{sep}{}\n", 20 + i * 37 % 50, i % 3 ? town : "Ulm", pay,
                          fmt::arg("sep", separator));
    }
    return text;
  };
  const CsvFormat latin{.encoding = TextEncoding::latin1};
  const std::tuple<std::string, CsvFormat, CsvFormat> cases[] = {
      {rows("age;town;pay\n", ";", ',', "Bonn"), {}, {';', true, ','}},
      // Only what the file's own separator asks for is quoted.
      {rows("Order date;home, town;\"pay; net\"\n", ";", ',', "Bonn"), {}, {';', true, ','}},
      {rows("", ";", ',', "Bonn"), {}, {';', false, ','}},
      {rows("age\ttown\tpay\n", "\t", '.', "Bonn, Rhein"), {}, {'\t', true, '.'}},
      {rows("", " ", '.', "\"Bad Ems\""), {}, {' ', false, '.'}},
      {rows("age|town|pay\n", "|", '.', "K\xf6ln"), latin, {'|', true, '.', TextEncoding::latin1}}};
  for (const auto& [text, given, format] : cases) {
    const Dataset data = load(text, {.format = given}).data;
    EXPECT_EQ(data.format, format) << text.substr(0, 40);
    EXPECT_EQ(data.subset(at::zeros({1}, at::kLong)).format, format);
    ASSERT_TRUE(data.schema);
    std::ostringstream out;
    save_table(out, data);
    EXPECT_EQ(out.str(), text);
    EXPECT_EQ(CsvFormat::from_json(Json::parse(data.format.to_json().dump())), format);
  }
  Dataset data = load(rows("age;town;pay\n", ";", ',', "Łódź")).data;
  data.format = latin;
  std::ostringstream out;
  expect_error([&] { save_table(out, data); }, ErrorKind::argument, "Latin-1");
  expect_error(
      [] {
        CsvFormat::from_json({{"encoding", "utf-8"}, {"separator", "a"}}, "f.json");
      },
      ErrorKind::input, "f.json: separator");
}

TEST_F(TableCsv, ReadsAsOtherFilesAreRead) {
  const Dataset labelled = load("k;x\nb;1,5\na;2,5\nb;3,5\n", {.label_column = "k"}).data;
  EXPECT_THAT(labelled.label_names, ElementsAre("a", "b"));
  EXPECT_EQ(labelled.label_column, "k");
  EXPECT_TRUE(labelled.values.equal(rows_of({1.5, 2.5, 3.5}, 1)));
  const Dataset index = load(",a,b\n0,x,1.5\n1,y,2.5\n2,x,3.5\n").data;
  EXPECT_THAT(index.columns, ElementsAre("a", "b"));
  EXPECT_THAT(index.notes[1], HasSubstr("counts the rows from 0, an index: left out"));
  const Dataset latin =
      load("a,b\nM\xfcnchen,1\nK\xf6ln,2\n", {.format = {.encoding = TextEncoding::latin1}}).data;
  EXPECT_THAT(latin.schema->columns[0].levels, ElementsAre("Köln", "München"));
  EXPECT_THAT(refusal("a,b\nM\xfcnchen,1\nx,2\n"), HasSubstr("line 2: byte 2: expected text in UTF-8"));
  EXPECT_THAT(refusal("a,b\nx,1\ny\n"), HasSubstr("line 3: expected 2 columns but found 1"));
  EXPECT_THAT(refusal("a,b\n"), HasSubstr("only a header"));
  EXPECT_THAT(load("b,a,c\n1,2,3\n2,4,4\n", {.columns = {"c", "a"}}).data.columns, ElementsAre("c", "a"));
  const std::string open = "a,b,\nx,1,\ny,2,\n";
  EXPECT_THAT(load(open).data.columns, ElementsAre("a", "b"));
}

TEST_F(TableCsv, WishesNameColumnsThatAreThere) {
  const std::string text = census(100);
  const TableFile file = load(text, {.wishes = {{"kids", {.kind = ColumnKind::integer}},
                                                {"id", {.kind = ColumnKind::integer}},
                                                {"debt", {.dropped = true}}}});
  EXPECT_THAT(file.data.columns, ElementsAre("id", "age", "job", "since", "kids"));
  EXPECT_EQ(file.data.schema->columns[4].kind, ColumnKind::integer);
  EXPECT_THAT(refusal(text, {.wishes = {{"kid", {}}}}),
              HasSubstr("no column 'kid': expected one of id, age, job, debt, since, kids"));
  std::string count = "n\n";
  for (int i = 0; i < 60; ++i) count += fmt::format("{}\n", i);
  EXPECT_THAT(refusal(count), HasSubstr("every column is left out: 'n' is an identifier"));
}

TEST_F(TableCsv, AKnownSchemaFindsItsColumns) {
  const auto schema = load("a,b,c\n1,x,2024-01-31\n4,y,2024-02-29\n9,x,2024-03-01\n").data.schema;
  const TableOptions known{.schema = schema};
  const Dataset data = load("c,extra,b,a\n2023-12-24,1.5,y,7\n", known).data;
  EXPECT_THAT(data.columns, ElementsAre("a", "b", "c"));
  EXPECT_EQ(data.values[0][0].item<double>(), 7);
  EXPECT_EQ(data.values[0][1].item<double>(), 1);
  EXPECT_THAT(data.notes.back(), HasSubstr("left out, as the schema has not: extra"));
  EXPECT_EQ(data.schema, schema);
  EXPECT_THAT(refusal("a,c\n1,2024-01-01\n", known), HasSubstr("no column b, which the schema has"));
  const auto cell = [](const char* a, const char* b, const char* c) {
    return fmt::format("a,b,c\n1,x,2024-02-01\n{},{},{}\n", a, b, c);
  };
  EXPECT_THAT(refusal(cell("3.97", "x", "2024-01-01"), known),
              HasSubstr("line 3: column 'a': expected a whole number but found '3.97'"));
  EXPECT_THAT(refusal(cell("1", "z", "2024-01-01"), known),
              HasSubstr("line 3: column 'b': expected one of x, y but found 'z'"));
  EXPECT_THAT(refusal(cell("1", "x", "2024-02-30"), known),
              HasSubstr("column 'c': expected a date as %Y-%m-%d but found '2024-02-30'"));
  EXPECT_THAT(refusal(cell("", "x", "2024-01-01"), known), HasSubstr("but the cell is empty"));
  EXPECT_TRUE(load(cell("", "x", "2024-01-01"), {.schema = schema, .accept_missing = true})
                  .data.values[1][0]
                  .isnan()
                  .item<bool>());
  EXPECT_THAT(refusal(cell("12", "x", "2024-01-31"), {.schema = schema, .within_bounds = true}),
              HasSubstr("expected a whole number from 1 to 9 but found '12'"));
  // Counted rather than refused.
  const TableFile counted =
      load(cell("-0.5", "z", "2024-02-30"), {.schema = schema, .count_impossible = true});
  EXPECT_THAT(counted.impossible, ElementsAre(1, 1, 1));
  EXPECT_EQ(counted.data.values.isnan().sum().item<int64_t>(), 3);
  // Some of its columns, and columns of other names in their order.
  EXPECT_TRUE(load("b\ny\nx\n", {.columns = {"b"}, .schema = schema}).data.values.equal(rows_of({1, 0}, 1)));
  EXPECT_TRUE(load("r,s,t\n1,y,2024-01-01\n", {.columns = {"r", "s", "t"}, .schema = schema})
                  .data.values.narrow(1, 0, 2)
                  .equal(rows_of({1, 1}, 2)));
}

// What no number stands above shows its header by levels that come again.
TEST_F(TableCsv, FindsTheHeaderOfTexts) {
  const std::string rows = "red,yes\nblue,no\nred,no\nblue,yes\nred,yes\ngreen,no\nblue,no\n";
  const Dataset with = load("colour,answer\n" + rows).data;
  EXPECT_THAT(with.columns, ElementsAre("colour", "answer"));
  EXPECT_THAT(with.doubts, IsEmpty());
  const Dataset without = load(rows).data;
  EXPECT_EQ(without.size(), 7);
  EXPECT_THAT(without.doubts, IsEmpty());
  const Dataset unsure = load("ann,bern\nbob,bonn\ncarl,graz\n").data;
  EXPECT_EQ(unsure.size(), 2);
  ASSERT_EQ(unsure.doubts.size(), 1u);
  EXPECT_THAT(unsure.doubts[0], HasSubstr("give header no if it is a row"));
}

TEST_F(TableCsv, QuotesWhatWouldBeReadOtherwise) {
  const Dataset data = load("a,b\n\"#1\",\"x\ny\"\n\"#2\",\"x\ny\"\n\"#2\", z\n").data;
  std::ostringstream out;
  save_table(out, data);
  EXPECT_EQ(out.str(), "a,b\n\"#1\",\"x\ny\"\n\"#2\",\"x\ny\"\n\"#2\", z\n");
  std::string single = "a\n";
  for (int i = 0; i < 30; ++i) single += i % 3 ? "u\n" : "\"\"\n";
  const Dataset empty = load(single + "v\n").data;
  EXPECT_EQ(empty.size(), 31);
  std::ostringstream one;
  save_table(one, empty);
  EXPECT_EQ(one.str(), single + "v\n");
  Dataset wrong = data;
  wrong.values = at::full({1, 2}, 7, at::kDouble);
  expect_error([&] { save_table(out, wrong); }, ErrorKind::argument, "row 0 (from 0): column 'a'");
}

TEST_F(TableCsv, SchemasAreFiles) {
  const auto schema = load(census(200)).data.schema;
  save_schema(path("schema.json"), *schema);
  EXPECT_EQ(load_schema(path("schema.json")).to_json(), schema->to_json());
  EXPECT_EQ(load_given_schema(path("schema.json")).schema->to_json(), schema->to_json());
  for (const char* text : {R"({"columns": {"age": "real"}})", R"({"age": {"kind": "real"}})"})
    EXPECT_EQ(load_given_schema(write("s.json", text)).wishes.at("age").kind, ColumnKind::real);
  expect_error([&] { load_given_schema(write("s.json", R"({"age": "number"})")); }, ErrorKind::input,
               "s.json: column 'age': unknown kind of column 'number': expected real");
  expect_error([&] { load_given_schema(write("s.json", "[")); }, ErrorKind::input, "s.json");
  const auto lines = schema_lines(*schema);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[0], HasSubstr("age    integer      17 to 86"));
  EXPECT_THAT(lines[1], HasSubstr("3 levels (Baker, \"old\", Clerk, Smith);"));
  EXPECT_THAT(lines[5], HasSubstr("id     dropped      an identifier: it counts the rows up from 100"));
}

}  // namespace
}  // namespace fokker
