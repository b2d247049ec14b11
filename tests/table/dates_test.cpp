#include "fokker/table/dates.h"

#include "fokker/core/random/rng.h"
#include "table/columns.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

std::optional<double> read(const char* format, const char* text) {
  return parse_date(*DateFormat::parse(format), text);
}

TEST(Dates, AreSecondsSinceTheEpoch) {
  EXPECT_EQ(read("%Y-%m-%d", "1970-01-01"), 0);
  EXPECT_EQ(read("%Y-%m-%d", "2000-03-01"), 951868800);  // POSIX
  EXPECT_EQ(read("%d.%m.%Y", "31.12.1969"), -86400);
  EXPECT_EQ(read("%m/%d/%Y %H:%M", "02/29/2024 10:30"), 1709202600);
  EXPECT_EQ(read("%Y-%m-%dT%H:%M:%S.%3fZ", "2024-02-29T10:30:00.125Z"), 1709202600.125);
  EXPECT_EQ(read("%-d/%-m/%Y", "9/1/2001"), read("%Y/%m/%d", "2001/01/09"));
}

TEST(Dates, TheCalendarHasNoSuchDay) {
  for (const char* text : {"2023-02-29", "2023-02-30", "2023-04-31", "2023-13-01", "2023-00-10", "2023-01-00",
                           "1900-02-29", "2023-01-32", "0000-01-01", "2023-1", "2023-01-01 ", "x", "",
                           "2023-01-01x", "2023/01/01", "01-01-2023"})
    EXPECT_EQ(read("%Y-%m-%d", text), std::nullopt) << text;
  EXPECT_TRUE(read("%Y-%m-%d", "2000-02-29"));
  for (const char* text : {"2023-01-01 24:00", "2023-01-01 10:60", "2023-01-01", "2023-01-01T10:00"})
    EXPECT_EQ(read("%Y-%m-%d %H:%M", text), std::nullopt) << text;
}

// Every format writes what it reads, over the centuries.
TEST(Dates, RoundTrip) {
  for (const char* name :
       {"%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%-d.%-m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%-m/%-d/%Y %H:%M",
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%6f", "%d/%m/%Y %H:%M:%S.%3f"}) {
    const auto format = DateFormat::parse(name);
    ASSERT_TRUE(format) << name;
    EXPECT_EQ(format->text(), name);
    const Tensor uniform = Rng(1).uniform({400}, {}, at::kDouble);
    for (int64_t i = 0; i < 400; ++i) {
      const double seconds = -6e9 + 1.2e10 * uniform[i].item<double>();
      const std::string text = date_text(*format, seconds);
      const auto back = parse_date(*format, text);
      ASSERT_TRUE(back) << text;
      EXPECT_LE(std::abs(*back - seconds), 0.5001 * format->step() + 1e-6) << text;
      EXPECT_EQ(date_text(*format, *back), text);
    }
  }
  EXPECT_EQ(date_text(*DateFormat::parse("%Y-%m-%d"), 43201), "1970-01-02");  // to the nearest day
  EXPECT_EQ(date_text(*DateFormat::parse("%Y-%m-%d %H:%M"), 86399), "1970-01-02 00:00");
  expect_error([] { date_text({}, 1e12); }, ErrorKind::argument, "years 1 to 9999");
  for (const char* bad : {"", "%Y", "%y-%m-%d", "%Y-%d-%m", "%Y-%m-%d %H", "%d.%m.%Y %H:%M:%S.%6f"})
    EXPECT_FALSE(DateFormat::parse(bad)) << bad;
}

TEST(Dates, TheColumnTellsTheDayFromTheMonth) {
  const auto format = [](const std::vector<std::string>& cells) {
    const Column column = inferred(cells).column;
    EXPECT_EQ(column.kind, ColumnKind::datetime);
    return column;
  };
  EXPECT_EQ(format({"01/02/2024", "13/02/2024", "01/03/2024"}).date_format, "%d/%m/%Y");
  EXPECT_EQ(format({"01/02/2024", "02/13/2024", "01/03/2024"}).date_format, "%m/%d/%Y");
  EXPECT_EQ(format({"1/2/2024", "12/13/2024", "10/3/2024"}).date_format, "%-m/%-d/%Y");
  const Column unsure = format({"01/02/2024", "03/04/2024", "05/06/2024"});
  EXPECT_EQ(unsure.date_format, "%m/%d/%Y");
  EXPECT_THAT(unsure.note, HasSubstr("no day is above 12"));
  EXPECT_EQ(format({"01.02.2024", "03.04.2024", "05.06.2024"}).note, "");
  const Column known =
      inferred({"01/02/2024", "03/04/2024", "05/06/2024"}, {.date_format = DateFormat::parse("%d/%m/%Y")})
          .column;
  EXPECT_EQ(known.date_format, "%d/%m/%Y");
  EXPECT_EQ(known.low, *read("%Y-%m-%d", "2024-02-01"));
  // Both cannot be.
  EXPECT_EQ(inferred({"13/02/2024", "02/13/2024", "01/01/2024"}).column.kind, ColumnKind::categorical);
}

}  // namespace
}  // namespace fokker
