// Columns as people write them: amounts, units, words among numbers.
#include "fokker/table/infer.h"
#include "table/columns.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Whole numbers are written in digits, others beyond float64's digits with an exponent.
TEST(InferAsWritten, LargeNumbersAreWrittenAsTheyWere) {
  std::vector<std::string> digits, exponents;
  for (int i = 1; i <= 40; ++i) {
    digits.push_back(i % 4 == 0 ? fmt::format("{}000000000000000123", i) : fmt::format("{}", 1000 + i));
    exponents.push_back(fmt::format("{}.5e+{}", i % 9 + 1, 290 + i % 9));
  }
  const Column names = inferred(digits).column;
  EXPECT_EQ(cell_text(names, 4e18), "4000000000000000000");
  EXPECT_EQ(cell_text(names, 12345), "12345");
  const Column far = inferred(exponents).column;
  EXPECT_EQ(far.decimals, -1);
  EXPECT_EQ(cell_text(far, 1.5e290), "1.5e+290");
  EXPECT_EQ(cell_text(far, -2.5e300), "-2.5e+300");
}

TEST(InferAsWritten, WordsThatComeAgainAmongNumbersAreMissing) {
  std::vector<std::string> cells = whole(100, 0, 40);
  for (const size_t i : {3, 50, 77}) cells[i] = "not asked";
  const InferredColumn twice = inferred(cells);
  EXPECT_EQ(twice.column.kind, ColumnKind::integer);
  EXPECT_THAT(twice.column.missing, ElementsAre("not asked"));
  EXPECT_NEAR(twice.column.missing_share, 0.03, 1e-12);
  EXPECT_THAT(twice.column.note, HasSubstr("'not asked' taken as missing"));
  EXPECT_TRUE(std::isnan(twice.cells[50]));
  EXPECT_EQ(cell_text(twice.column, NAN), "not asked");
  EXPECT_THAT(refusal(cells, {.missing = std::vector<std::string>{""}}), HasSubstr("found 'not asked'"));
  EXPECT_THAT(column_of(cells, {.kind = ColumnKind::categorical}).missing, IsEmpty());
  // A usual mark need not come again, and may be as many as the numbers.
  for (size_t i = 0; i < 100; i += 2) cells[i] = "-";
  for (const size_t i : {3, 77}) cells[i] = "5";
  EXPECT_THAT(column_of(cells).missing, ElementsAre("-"));
  // Few numbers with a word among them are levels.
  EXPECT_EQ(column_of(repeated({"2", "4", "more"}, 90)).kind, ColumnKind::categorical);
  EXPECT_EQ(column_of(repeated({"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "many"}, 240)).kind,
            ColumnKind::categorical);
  std::vector<std::string> dates;
  for (int i = 0; i < 40; ++i) dates.push_back(fmt::format("2024-03-{:02}", 1 + i % 28));
  dates[7] = "0000-00-00";
  EXPECT_EQ(column_of(dates).kind, ColumnKind::datetime);
  EXPECT_THAT(column_of(dates).missing, ElementsAre("0000-00-00"));
}

TEST(InferAsWritten, WordsAreFoundAmongMoreNumbersThanAreKept) {
  std::vector<std::string> cells = whole(140'000, 0, 100'000'000);
  cells[139'000] = cells[139'500] = "unasked";
  cells[139'999] = "n/a";
  const Column column = column_of(cells);
  EXPECT_EQ(column.kind, ColumnKind::integer);
  EXPECT_THAT(column.missing, ElementsAre("unasked", "n/a"));
}

TEST(InferAsWritten, AmountsAreNumbers) {
  const Tensor z = Rng(1).normal({400}, {}, at::kDouble);
  std::vector<std::string> cells;
  for (int64_t i = 0; i < 400; ++i) {
    const double x = 1000 * z[i].item<double>();
    const auto whole_part = static_cast<int64_t>(std::abs(x));
    const std::string thousands = whole_part >= 1000
                                      ? fmt::format("{},{:03}", whole_part / 1000, whole_part % 1000)
                                      : std::to_string(whole_part);
    cells.push_back(fmt::format("{}${}.{:02}", x < 0 ? "-" : "", thousands, i % 100));
  }
  const InferredColumn money = inferred(cells);
  EXPECT_EQ(money.column.kind, ColumnKind::real);
  EXPECT_EQ(money.column.decimals, 2);
  EXPECT_EQ(money.column.number_format, (NumberFormat{.prefix = "$", .group = ","}));
  for (size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cell_text(money.column, money.cells[i]), cells[i] == "-$0.00" ? "$0.00" : cells[i]);
    EXPECT_EQ(parse_cell(money.column, cells[i]), money.cells[i]);
  }
  EXPECT_EQ(parse_cell(money.column, "1234.5"), 1234.5);
  EXPECT_EQ(parse_cell(money.column, "EUR 5"), std::nullopt);
  std::vector<std::string> shares;
  for (int i = 0; i < 400; ++i) shares.push_back(fmt::format("{}%", (7 * i) % 101));
  EXPECT_EQ(column_of(shares).kind, ColumnKind::integer);
  EXPECT_EQ(cell_text(column_of(shares), 12), "12%");
  EXPECT_THAT(column_of(shares, {.kind = ColumnKind::categorical}).levels, SizeIs(101));
  // Few of them are levels, by value.
  EXPECT_THAT(column_of(repeated({"$5", "$10", "$20"}, 90)).levels, ElementsAre("$5", "$10", "$20"));
}

TEST(InferAsWritten, ThousandsAreSeparatedEverywhereOrNowhere) {
  std::vector<std::string> cells;
  for (int i = 0; i < 60; ++i) cells.push_back(fmt::format("{},{:03}", 1 + i, (37 * i) % 1000));
  EXPECT_THAT(column_of(cells).note, HasSubstr("',' read as a separator of thousands"));
  EXPECT_EQ(column_of(cells).low, 1000);
  cells[9] = "1,234,567";  // no decimal comma
  EXPECT_THAT(column_of(cells).note, Not(HasSubstr("separator of thousands")));
  cells[5] = "2500";
  EXPECT_THAT(refusal(cells, {.kind = ColumnKind::real}), HasSubstr("expected a number"));
  const std::vector<std::string> german = {"1.234,50", "12,00", "1.000.000,25", "3,5"};
  EXPECT_EQ(inferred(german, {}, "c", ',').cells, (std::vector<double>{1234.5, 12, 1000000.25, 3.5}));
}

TEST(InferAsWritten, UnitsStandBesideNearlyAllNumbersOrNone) {
  const Column doors = column_of(repeated({"2", "3", "4", "5more"}, 400));
  EXPECT_EQ(doors.kind, ColumnKind::categorical);
  EXPECT_THAT(doors.levels, ElementsAre("2", "3", "4", "5more"));
  std::vector<std::string> weights;
  for (int i = 0; i < 100; ++i) weights.push_back(fmt::format("{} kg", 40 + i % 37));
  weights[3] = "55";
  EXPECT_EQ(column_of(weights).number_format.suffix, " kg");
  weights = whole(100, 0, 40);
  weights[41] = "12 kg";
  EXPECT_THAT(refusal(weights), HasSubstr("found '12 kg'"));
}

// Numbers that all have a point have it again: 4.0 beside 4.25.
TEST(InferAsWritten, PointsAreKept) {
  const Tensor z = (400 * Rng(3).uniform({400}, {}, at::kDouble)).round() / 20;
  std::vector<std::string> cells;
  for (int64_t i = 0; i < 400; ++i) {
    const std::string text = fmt::format("{}", z[i].item<double>());
    cells.push_back(text.find('.') == std::string::npos ? text + ".0" : text);
  }
  const InferredColumn found = inferred(cells);
  EXPECT_EQ(found.column.decimals, 2);
  EXPECT_EQ(found.column.padding, 1);
  for (size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cell_text(found.column, found.cells[i]), cells[i]);
}

TEST(InferAsWritten, CodesUnderTheirNamesAreCategories) {
  const auto cells = repeated(whole(40, 10000, 99999), 400);
  const Column zip = inferred(cells, {}, "Zip Code").column;
  EXPECT_EQ(zip.kind, ColumnKind::categorical);
  EXPECT_THAT(zip.note, HasSubstr("the type Zip Code=integer"));
  EXPECT_EQ(inferred(cells, {.kind = ColumnKind::integer}, "Zip Code").column.kind, ColumnKind::integer);
  EXPECT_EQ(inferred(cells, {}, "price").column.kind, ColumnKind::integer);
  EXPECT_NE(inferred(whole(400, 1'000'000'000, 9'000'000'000), {}, "phone").dropped, "");
}

// Comments of a small survey are nobody's levels; short names that differ may be.
TEST(InferTexts, LongOnesThatAllDifferAreFreeText) {
  std::vector<std::string> comments, names;
  for (int i = 0; i < 30; ++i) {
    comments.push_back(fmt::format("I waited {} minutes and then left", 5 + i));
    names.push_back(fmt::format("n{}", i));
  }
  EXPECT_EQ(inferred(comments).dropped, "free text: different in every row");
  EXPECT_EQ(inferred(names).dropped, "");
  EXPECT_EQ(inferred(comments, {.kind = ColumnKind::categorical}).dropped, "");
  comments[3] = comments[4];
  EXPECT_EQ(inferred(comments).dropped, "");
}

}  // namespace
}  // namespace fokker
