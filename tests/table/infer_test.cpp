#include "fokker/table/infer.h"

#include "table/columns.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Infer, NumbersAreRealOrWhole) {
  const Column real = column_of(texts_of(Rng(1).normal({1000}, {}, at::kDouble)));
  EXPECT_TRUE(real.is_plain());
  EXPECT_EQ(real.note, "");
  const Column ages = column_of(whole(1000, 18, 80));
  EXPECT_EQ(ages.kind, ColumnKind::integer);
  EXPECT_EQ(ages.decimals, 0);
  EXPECT_EQ(ages.low, 18);
  EXPECT_EQ(ages.high, 80);
  EXPECT_EQ(column_of({"1e3", "2", "-3", "+4", "5.0"}).kind, ColumnKind::integer);
  for (const char* far : {"1e39", "99999999999999999999"})
    EXPECT_EQ(column_of({"1", "2", "5", far}).kind, ColumnKind::real) << far;
  EXPECT_EQ(inferred({"1,5", "2,25", "7"}, {}, "c", ',').cells, (std::vector<double>{1.5, 2.25, 7}));
}

TEST(Infer, RoundingIsSeen) {
  const Tensor z = 20 * Rng(1).normal({2000}, {}, at::kDouble);
  const Column fixed = column_of(texts_of(z, "{:.2f}"));
  EXPECT_EQ(fixed.decimals, 2);
  EXPECT_EQ(fixed.padding, 2);
  EXPECT_EQ(cell_text(fixed, 1.5), "1.50");
  EXPECT_EQ(cell_text(fixed, -0.001), "0.00");
  const Column shortest = column_of(texts_of((z * 100).round() / 100));
  EXPECT_EQ(shortest.decimals, 2);
  EXPECT_EQ(shortest.padding, 0);
  EXPECT_EQ(cell_text(shortest, 1.5), "1.5");
  // A fixed number of significant digits is no grid, but is written again.
  const Column eight = column_of(texts_of(z.exp(), "{:.8g}"));
  EXPECT_EQ(eight.decimals, -1);
  EXPECT_EQ(eight.digits, 8);
  EXPECT_EQ(cell_text(eight, 123.4567891234), "123.45679");
  const Column four = column_of(texts_of((7 + z.abs()).square(), "{:.5g}"));
  EXPECT_EQ(four.decimals, -1);
  EXPECT_EQ(four.digits, 5);
  // Four decimals, of at most six digits.
  std::vector<std::string> both;
  for (int64_t i = 0; i < 2000; ++i)
    both.push_back(fmt::format("{:.6g}", std::round(std::exp(0.1 * z[i].item<double>()) * 1e5) / 1e4));
  const Column mixed = column_of(both);
  EXPECT_EQ(mixed.decimals, 4);
  EXPECT_EQ(mixed.digits, 6);
  EXPECT_EQ(cell_text(mixed, 123.45678), "123.457");
  EXPECT_EQ(cell_text(mixed, 1.23456), "1.2346");
  EXPECT_EQ(column_of({"1.5", "2.5", "3.25"}).decimals, -1) << "too few to tell";
  // Counts with missing cells, as pandas writes them.
  std::vector<std::string> floats = {""};
  for (const std::string& text : whole(200, 0, 50)) floats.push_back(text + ".0");
  const Column counts = column_of(floats);
  EXPECT_EQ(counts.kind, ColumnKind::integer);
  EXPECT_EQ(cell_text(counts, 7), "7.0");
}

TEST(Infer, MissingCellsKeepTheirSpelling) {
  for (const char* mark :
       {"", "?", " ?", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "none"}) {
    std::vector<std::string> cells = whole(100, 0, 40);
    cells[3] = cells[7] = mark;
    const InferredColumn result = inferred(cells);
    EXPECT_EQ(result.column.kind, ColumnKind::integer) << mark;
    EXPECT_THAT(result.column.missing, ElementsAre(mark));
    EXPECT_EQ(result.column.missing_share, 0.02);
    EXPECT_TRUE(std::isnan(result.cells[3]));
    EXPECT_EQ(cell_text(result.column, NAN), mark);
  }
  const Column words = column_of(repeated({"a", "None", " ?", "b", " ?", "NA"}, 60));
  EXPECT_THAT(words.levels, ElementsAre("None", "a", "b"));
  EXPECT_THAT(words.missing, ElementsAre(" ?", "NA"));  // the most frequent first
  EXPECT_EQ(parse_cell(words, " None "), 0);
  EXPECT_TRUE(std::isnan(*parse_cell(words, "?")));
  EXPECT_TRUE(std::isnan(*parse_cell(words, "")));  // any usual mark
  EXPECT_EQ(parse_cell(words, "c"), std::nullopt);
  EXPECT_EQ(parse_cell(column_of(whole(100, 0, 40)), ""), std::nullopt);
  const Column none = column_of({"", "", ""});
  EXPECT_EQ(none.kind, ColumnKind::constant);
  EXPECT_EQ(cell_text(none, 0), "");
  EXPECT_EQ(inferred({"", "NA"}).dropped, "every cell is missing");
}

TEST(Infer, OddCellsAmongNumbersAreRefused) {
  std::vector<std::string> cells = whole(100, 0, 40);
  cells[41] = " many";
  EXPECT_EQ(
      refusal(cells),
      "t.csv: line 43: column 'c': expected a number, as nearly all others are (the type c=categorical "
      "takes numbers as texts, c=drop leaves the column out, and a schema's \"missing\" says what stands for "
      "a missing cell), but found 'many'");
  for (const char* bad : {"inf", "-Infinity", "1e999"}) {
    cells[41] = bad;
    EXPECT_THAT(refusal(cells), HasSubstr(fmt::format("found '{}'", bad)));
  }
  EXPECT_EQ(column_of(cells, {.kind = ColumnKind::categorical}).kind, ColumnKind::categorical);
  EXPECT_EQ(inferred(cells, {.dropped = true}).dropped, "asked for");
  // Fewer than nine in ten: texts, some of which are numbers.
  for (int i = 0; i < 100; i += 5) cells[i] = "x";
  EXPECT_THAT(column_of(cells).note, HasSubstr("of 100 cells are numbers"));
  std::vector<std::string> dates = repeated({"2024-02-28", "2024-03-01", "2024-05-07"}, 60);
  dates[20] = "2024-02-30";
  EXPECT_THAT(refusal(dates), HasSubstr("line 22: column 'c': expected a date, as nearly all others are"));
}

TEST(Infer, FewWholeNumbersAreCodes) {
  const InferredColumn kids = inferred(repeated({"0", "1", "2", "3", "4", "5", "6"}, 700), {}, "kids");
  EXPECT_EQ(kids.column.kind, ColumnKind::categorical);
  EXPECT_EQ(kids.column.note,
            "7 whole-number codes: taken as categories; the type kids=integer keeps their order");
  EXPECT_EQ(column_of(repeated({"0", "1", "2", "3", "4", "5", "6"}, 139)).kind, ColumnKind::integer);
  EXPECT_EQ(column_of(repeated({"9", "10", "-1"}, 60)).levels, (std::vector<std::string>{"-1", "9", "10"}));
  EXPECT_EQ(column_of(repeated({"0", "1"}, 10)).kind, ColumnKind::categorical);
  EXPECT_EQ(column_of(repeated({"0", "1"}, 9)).kind, ColumnKind::integer);
  EXPECT_EQ(column_of(repeated({"0", "1", "2"}, 90), {.kind = ColumnKind::integer}).kind,
            ColumnKind::integer);
  EXPECT_EQ(column_of(whole(1000, 0, 10)).kind, ColumnKind::integer);
  const Column constant = column_of(repeated({"7"}, 5));
  EXPECT_EQ(constant.kind, ColumnKind::constant);
  EXPECT_THAT(constant.levels, ElementsAre("7"));
  EXPECT_EQ(column_of({"7"}).kind, ColumnKind::integer) << "one row says nothing";
  // One value under the spelling of most cells.
  EXPECT_THAT(column_of(repeated({"1", "1.0", "1", "2"}, 100)).levels, ElementsAre("1", "2"));
  // Numbers that are names: zeros lead, or float64 does not hold them.
  const Column zip = column_of(repeated({"00123", "10115", "00124", "80331"}, 80));
  EXPECT_EQ(zip.kind, ColumnKind::categorical);
  EXPECT_THAT(zip.levels, ElementsAre("00123", "00124", "10115", "80331"));
  EXPECT_THAT(column_of(repeated({"9007199254740993", "9007199254740995"}, 20)).levels,
              ElementsAre("9007199254740993", "9007199254740995"));
}

TEST(Infer, IdentifiersAreDropped) {
  std::vector<std::string> up, down, names, scattered;
  for (int i = 0; i < 120; ++i) {
    up.push_back(std::to_string(17 + i));
    down.push_back(std::to_string(500 - i));
    scattered.push_back(std::to_string(i * 7919 % 100'003));
    names.push_back(fmt::format("user{}", i / (i < 30 ? 2 : 1)));
  }
  EXPECT_EQ(inferred(up).dropped, "an identifier: it counts the rows up from 17");
  EXPECT_EQ(inferred(down).dropped, "an identifier: it counts the rows down from 500");
  EXPECT_EQ(inferred(up, {.kind = ColumnKind::integer}).dropped, "");
  EXPECT_EQ(inferred({up.begin(), up.begin() + 9}).dropped, "");
  for (const char* name : {"id", "ID", "user_id", "userId", "row index", "primary-key", "uuid"})
    EXPECT_THAT(inferred(scattered, {}, name).dropped, HasSubstr("different in every row")) << name;
  for (const char* name : {"price", "paid", "grid", "monkey"})
    EXPECT_EQ(inferred(scattered, {}, name).dropped, "") << name;
  EXPECT_THAT(inferred(names).dropped, HasSubstr("more than half the rows"));
  EXPECT_EQ(inferred({names.begin(), names.begin() + 49}).dropped, "");
  EXPECT_EQ(inferred(repeated(names, 480)).dropped, "");
}

TEST(Infer, TextsAreLevels) {
  const InferredColumn result = inferred(repeated({" b", " a", "b ", " b"}, 80));
  EXPECT_THAT(result.column.levels, ElementsAre(" a", " b"));  // as written, blanks apart
  EXPECT_EQ(result.cells[0], 1);
  EXPECT_EQ(result.cells[1], 0);
  EXPECT_EQ(result.cells[2], 1);
  EXPECT_EQ(column_of(repeated({"TRUE", "FALSE"}, 30)).kind, ColumnKind::categorical);
  EXPECT_EQ(column_of(repeated({"x"}, 30)).kind, ColumnKind::constant);
  // Half missing is no constant.
  EXPECT_EQ(column_of(repeated({"x", ""}, 30)).kind, ColumnKind::categorical);
  // As many as there are.
  std::vector<std::string> levels;
  for (int i = 0; i < 20'000; ++i) levels.push_back(fmt::format("level {:05}", i));
  const InferredColumn many = inferred(repeated(levels, 60'000));
  EXPECT_EQ(many.column.levels.size(), 20'000u);
  EXPECT_EQ(many.cells[59'999], 19'999);
}

// Texts of numbers are not all kept, until they turn out to be needed.
TEST(Infer, ReadsTextsAgain) {
  std::vector<std::string> cells;
  for (int i = 0; i < 100'000; ++i) cells.push_back(std::to_string(i));
  for (int i = 0; i < 100'000; ++i) cells.push_back(fmt::format("x{}", i % 10));
  ColumnBuilder once("c", {});
  for (const std::string& cell : cells) once.add(cell);
  EXPECT_TRUE(once.needs_texts());
  EXPECT_THAT(inferred(cells).dropped, HasSubstr("more than half"));
  const InferredColumn all = inferred(cells, {.kind = ColumnKind::categorical});
  EXPECT_EQ(all.column.levels.size(), 100'010u);
  EXPECT_EQ(all.column.levels[static_cast<size_t>(all.cells[777])], "777");
}

TEST(Infer, WishesOverruleAndAreChecked) {
  const std::vector<std::string> grades = repeated({"low", "high", "mid"}, 90);
  EXPECT_THAT(column_of(grades, {.kind = ColumnKind::ordinal}).levels, ElementsAre("high", "low", "mid"));
  const ColumnWish ordered{.kind = ColumnKind::ordinal, .levels = {"low", "mid", "high"}};
  EXPECT_EQ(inferred(grades, ordered).cells[1], 2);
  EXPECT_THAT(refusal(grades, {.levels = {"low", "high"}}),
              HasSubstr("line 4: column 'c': expected one of the levels given but found 'mid'"));
  EXPECT_THAT(column_of(grades, {.levels = {"none", "low", "mid", "high"}}).levels.size(), 4u);
  const std::vector<std::string> counts = whole(100, 0, 40);
  EXPECT_THAT(refusal(counts, {.high = 3}), HasSubstr("expected at most 3 but found"));
  EXPECT_THAT(refusal(counts, {.low = 39}), HasSubstr("expected at least 39 but found"));
  EXPECT_EQ(column_of(counts, {.kind = ColumnKind::real}).kind, ColumnKind::real);
  EXPECT_THAT(
      refusal({"1", "2.5"}, {.kind = ColumnKind::integer}),
      HasSubstr("line 3: column 'c': expected a whole number up to 2^53 of a column that is integer"));
  EXPECT_THAT(refusal({"1", "x"}, {.kind = ColumnKind::real}),
              HasSubstr("line 3: column 'c': expected a number of a column that is real but found 'x'"));
  EXPECT_THAT(refusal({"1", "2"}, {.kind = ColumnKind::datetime}), HasSubstr("expected a date of a column"));
  EXPECT_THAT(refusal({"1", "2"}, {.kind = ColumnKind::constant}), HasSubstr("found '1' and '2'"));
  const Column dashes = column_of(repeated({"-", "3", "4", "5", "6"}, 50), {.missing = {{"-"}}});
  EXPECT_THAT(dashes.missing, ElementsAre("-"));
  EXPECT_EQ(dashes.missing_share, 0.2);
}

TEST(Infer, WishesAreReadFromJson) {
  const auto wish = [](const char* text) { return ColumnWish::from_json(Json::parse(text), "s.json: 'a'"); };
  EXPECT_EQ(wish(R"("integer")").kind, ColumnKind::integer);
  EXPECT_TRUE(wish(R"("drop")").dropped);
  EXPECT_EQ(wish(R"({"date_format": "%d/%m/%Y", "low": "01/02/1970"})").low, 31 * 86400.0);
  for (const auto& [text, expected] : std::vector<std::pair<const char*, const char*>>{
           {R"("number")", "unknown kind of column 'number': expected real, integer, categorical"},
           {"3", "expected real, integer"},
           {R"({"kinds": "real"})", "unknown member 'kinds': expected some of kind, levels"},
           {R"({"levels": [1]})", "a list of strings"},
           {R"({"low": "x"})", "a number"},
           {R"({"decimals": 99})", "decimals from -1 to 17"},
           {R"({"date_format": "%Q"})", "unknown format of dates"}})
    expect_error([&] { wish(text); }, ErrorKind::input, expected);
}

}  // namespace
}  // namespace fokker
