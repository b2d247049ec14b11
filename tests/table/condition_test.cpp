#include "fokker/table/condition.h"

#include <gtest/gtest.h>

#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schema people() {
  Schema schema;
  Column age = number_column("age", ColumnKind::integer, 0);
  age.low = 17, age.high = 90;
  Column pay = number_column("pay", ColumnKind::real, 2);
  pay.low = 0, pay.high = 99.5, pay.missing = {"?"};
  Column born = number_column("born", ColumnKind::datetime, 0);
  born.date_format = "%Y-%m-%d";
  born.low = *parse_cell(born, "1950-01-01"), born.high = *parse_cell(born, "2000-12-31");
  const Column job{.name = "job",
                   .kind = ColumnKind::categorical,
                   .levels = {" cook", " guard", " a|b"},
                   .missing = {" ?"}};
  const Column size{.name = "size", .kind = ColumnKind::ordinal, .levels = {"S", "M", "L", "XL"}};
  const Column code{.name = "a=b", .kind = ColumnKind::categorical, .levels = {"10", "2", "7", "5..9"}};
  const Column rank{.name = "rank", .kind = ColumnKind::categorical, .levels = {"1", "5", "10"}};
  schema.columns = {age, pay, born, job, size, code, rank, number_column("plain")};
  schema.columns[7].low = -1, schema.columns[7].high = 1;
  return schema;
}

Tensor bools(const std::vector<double>& ones) {
  return vector_of(ones) == 1;
}

ColumnCondition of(const std::string& text) {
  return parse_condition(people(), text);
}
std::string refused(const std::string& text) {
  return refusal_of([&] { of(text); }, ErrorKind::argument);
}

TEST(Condition, IsACellAsItIsWritten) {
  EXPECT_THAT(of("age=33").values, ElementsAre(33));
  EXPECT_EQ(of("age=33").column, 0);
  EXPECT_THAT(of("job=guard").values, ElementsAre(1));
  EXPECT_THAT(of("job= guard").values, ElementsAre(1));
  EXPECT_THAT(of("born=1970-01-02").values, ElementsAre(86400));
  EXPECT_TRUE(std::isnan(of("job=?").values[0]));
  EXPECT_TRUE(std::isnan(of("pay=").values[0]));
  EXPECT_THAT(of("pay=12.344").values, ElementsAre(12.34)) << "rounded as the column is written";
  EXPECT_TRUE(of("age=33").is_exact());
}

// What is a cell as it stands is that cell, whatever else it looks like; so are the names of columns.
TEST(Condition, OfNamesAndLevelsThatLookLikeSyntax) {
  EXPECT_THAT(of("job=a|b").values, ElementsAre(2));
  EXPECT_EQ(of("a=b=7").column, 5);
  EXPECT_THAT(of("a=b=5..9").values, ElementsAre(3));
}

TEST(Condition, IsARange) {
  const ColumnCondition middle = of("age=30..40");
  EXPECT_EQ(middle.low, 30);
  EXPECT_EQ(middle.high, 40);
  EXPECT_FALSE(middle.is_exact());
  EXPECT_EQ(of("age=80..").high, INFINITY);
  EXPECT_EQ(of("age=..20").low, -INFINITY);
  EXPECT_EQ(of("age=80..200").high, 200) << "an end may lie beyond the training";
  EXPECT_EQ(of("born=1970-01-02..").low, 86400);
  EXPECT_THAT(of("size=M..XL").values, ElementsAre(1, 2, 3));
  EXPECT_THAT(of("rank=2..10").values, ElementsAre(1, 2)) << "levels that are numbers, by value";
  EXPECT_THAT(of("rank=2..7").values, ElementsAre(1));
  EXPECT_THAT(of("job=cook|guard").values, ElementsAre(0, 1));
  EXPECT_THAT(of("age=20|30").values, ElementsAre(20, 30));
}

TEST(Condition, HoldsForCellsAsTheyAreWritten) {
  const Schema schema = people();
  const Tensor cells = vector_of({29, 30, 40, 41, NAN});
  EXPECT_TRUE(of("age=30..40").holds(schema.columns[0], cells).equal(bools({0, 1, 1, 0, 0})));
  EXPECT_TRUE(of("pay=|30").holds(schema.columns[1], cells).equal(bools({0, 1, 0, 0, 1})));
  // Three significant digits: 1299.6 is written 1300.
  Column digits = number_column("digits");
  digits.digits = 3, digits.low = 0, digits.high = 5000;
  const ColumnCondition below = parse_condition(digits, 0, "..1299", "here");
  EXPECT_TRUE(below.holds(digits, vector_of({1294.4, 1299.6})).equal(bools({1, 0})));
}

TEST(Condition, RefusesWhatCannotBe) {
  EXPECT_THAT(refused("sex=Male"), HasSubstr("no column 'sex': expected one of age, pay, born"));
  EXPECT_THAT(refused("age"), HasSubstr("expected COLUMN=VALUE but received 'age'"));
  EXPECT_THAT(refused("age=95"), HasSubstr("95 lies outside the values of the training, from 17 to 90"));
  EXPECT_THAT(refused("age=33.5"), HasSubstr("expected a whole number from 17 to 90"));
  EXPECT_THAT(refused("age=?"), HasSubstr("none of its cells was missing in training"));
  EXPECT_THAT(refused("age=95..99"), HasSubstr("the range 95..99 has none of the values of the training"));
  EXPECT_THAT(refused("age=40..30"), HasSubstr("expected LOW <= HIGH but received 40..30"));
  EXPECT_THAT(refused("age=a..30"), HasSubstr("received 'a'"));
  EXPECT_THAT(refused("job=baker"), HasSubstr("expected one of cook, guard, a|b but received 'baker'"));
  EXPECT_THAT(refused("job=cook.."), HasSubstr("its levels have no order"));
  EXPECT_THAT(refused("job=cook|baker"), HasSubstr("received 'baker'"));
  EXPECT_THAT(refused("rank=6..9"), HasSubstr("the range 6..9 has none of its levels 1, 5, 10"));
  EXPECT_THAT(refused("born=1970-02-30"),
              HasSubstr("expected a date as %Y-%m-%d from 1950-01-01 to 2000-12-31"));
  EXPECT_THAT(refused("plain=0.1|0.2"), HasSubstr("of numbers that are not rounded"));
  EXPECT_THAT(refusal_of(
                  [] {
                    parse_conditions(people(), {"age=20..", "age=..30"});
                  },
                  ErrorKind::argument),
              HasSubstr("column 'age' is given twice"));
}

}  // namespace
}  // namespace fokker
