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
  for (const char* name : {"%Y-%m-%d",
                           "%Y/%m/%d",
                           "%d.%m.%Y",
                           "%-d.%-m.%Y",
                           "%d/%m/%Y",
                           "%m/%d/%Y",
                           "%-m/%-d/%Y %H:%M",
                           "%Y-%m-%d %H:%M:%S",
                           "%Y-%m-%dT%H:%M:%SZ",
                           "%Y-%m-%d %H:%M:%S.%6f",
                           "%d/%m/%Y %H:%M:%S.%3f",
                           "%Y%m%d",
                           "%Y%m%d%H%M%S",
                           "%-d %B %Y",
                           "%d-%^b-%Y",
                           "%#b %d, %Y",
                           "%a, %d %b %Y %H:%M:%S +0000",
                           "%-m/%-d/%Y %-I:%M %p",
                           "%d/%m/%Y %I:%M:%S%P",
                           "%Y-%m-%dT%H:%M:%S.%3f%z+01:00",
                           "%A %d %B %Y",
                           "%Y-%m-%d %H:%M:%S.%7f"}) {
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
  expect_error([] { date_text(*DateFormat::parse("%Y-%m-%d"), 1e12); }, ErrorKind::argument,
               "years 1 to 9999");
  for (const char* bad :
       {"", "%Y", "%Y-%d", "%Y-%m %H:%M", "%Y-%m-%d %H", "%H:%S", "%I:%M", "%-m%-d%Y", "%Y-%m-%d %z+01:00",
        "%Y-%m-%d %H:%M:%f", "%Y-%m-%d %Y", "%q", "%", "plain", "%H:%M %z"})
    EXPECT_FALSE(DateFormat::parse(bad)) << bad;
}

TEST(Dates, MonthsAndTimesOfTheDay) {
  EXPECT_EQ(read("%Y-%m", "1970-02"), 31 * 86400);
  EXPECT_EQ(date_text(*DateFormat::parse("%b %Y"), 32 * 86400), "Feb 1970");
  EXPECT_EQ(read("%H:%M:%S", "01:02:03"), 3723);
  EXPECT_EQ(read("%-I:%M %p", "12:05 AM"), 300);
  EXPECT_EQ(read("%-I:%M %p", "12:05 PM"), 43500);
  EXPECT_EQ(read("%-I:%M %p", "0:05 PM"), std::nullopt);
  EXPECT_EQ(date_text(*DateFormat::parse("%-I:%M %P"), 300), "12:05 am");
  EXPECT_EQ(date_text(*DateFormat::parse("%H:%M"), 86399), "23:59");  // no day to go on to
}

TEST(Dates, ShortYearsAreThoseOfPosix) {
  EXPECT_EQ(read("%m/%d/%y", "02/29/24"), read("%Y-%m-%d", "2024-02-29"));
  EXPECT_EQ(read("%d-%^b-%y", "29-FEB-68"), read("%Y-%m-%d", "2068-02-29"));
  EXPECT_EQ(read("%d-%^b-%y", "01-JAN-69"), read("%Y-%m-%d", "1969-01-01"));
}

TEST(Dates, WhatIsWrittenInAnotherWayIsNoDate) {
  EXPECT_EQ(read("%a, %d %b %Y", "Thu, 29 Feb 2024"), read("%Y-%m-%d", "2024-02-29"));
  EXPECT_EQ(read("%a, %d %b %Y", "Fri, 29 Feb 2024"), std::nullopt);  // it was a Thursday
  EXPECT_EQ(read("%d-%^b-%Y", "29-Feb-2024"), std::nullopt);
  EXPECT_EQ(read("%-d/%-m/%Y", "01/2/2024"), std::nullopt);
  EXPECT_EQ(read("%d/%m/%Y", "1/2/2024"), std::nullopt);
}

// An hour of the day further east is an hour earlier.
TEST(Dates, OffsetsAreThoseOfOneClock) {
  const char* format = "%Y-%m-%dT%H:%M:%S%z+01:00";
  EXPECT_EQ(read(format, "2024-02-29T10:30:00+01:00"), read("%Y-%m-%d %H:%M", "2024-02-29 10:30"));
  EXPECT_EQ(read(format, "2024-02-29T10:30:00+02:00"), read("%Y-%m-%d %H:%M", "2024-02-29 09:30"));
  EXPECT_EQ(read(format, "2024-02-29T10:30:00-00:30"), read("%Y-%m-%d %H:%M", "2024-02-29 12:00"));
  EXPECT_EQ(read(format, "2024-02-29T10:30:00+0100"), std::nullopt);
  EXPECT_EQ(read("%Y-%m-%dT%H:%M:%S+01:00", "2024-02-29T10:30:00+02:00"), std::nullopt);
  const Column varying =
      inferred({"2024-03-30T10:30:00+01:00", "2024-04-30T10:30:00+02:00", "2024-05-01T07:00:00+02:00"})
          .column;
  EXPECT_EQ(varying.date_format, "%Y-%m-%dT%H:%M:%S%z+01:00");
}

TEST(Dates, FormatsAreFound) {
  const auto format = [](const char* text) {
    DateReader reader;
    return reader.add(text) ? reader.format().text() : "none";
  };
  const std::pair<const char*, const char*> cases[] = {
      {"2024-02-29", "%Y-%m-%d"},
      {"29.02.2024 07:05", "%d.%m.%Y %H:%M"},
      {"2/29/2024 2:05 PM", "%-m/%-d/%Y %-I:%M %p"},
      {"02/29/24", "%m/%d/%y"},
      {"29-Feb-2024", "%d-%b-%Y"},
      {"29-FEB-24", "%d-%^b-%y"},
      {"February 29, 2024", "%B %d, %Y"},
      {"29 february 2024", "%d %#B %Y"},
      {"Feb-2024", "%b-%Y"},
      {"2024-02", "%Y-%m"},
      {"2024-02-29T10:30:00Z", "%Y-%m-%dT%H:%M:%SZ"},
      {"2024-02-29 10:30:00.125 UTC", "%Y-%m-%d %H:%M:%S.%3f UTC"},
      {"2024-02-29 10:30:00 +0100", "%Y-%m-%d %H:%M:%S +0100"},
      {"29/Feb/2024:10:30:00 -0500", "%d/%b/%Y:%H:%M:%S -0500"},
      {"Thu, 29 Feb 2024 10:30:00 +0000", "%a, %d %b %Y %H:%M:%S +0000"},
      {"07:30", "%H:%M"},
      {"7:30", "%-H:%M"},
      {"7:30:15 pm", "%-I:%M:%S %P"},
      {"31.02.2024", "none"},
      {"2024", "none"},
      {"1-2", "none"},
      {"Monday", "none"},
      {"25:00", "none"},
      {"12.5.1", "none"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(format(text), expected) << text;
}

// A day above twelve shows the order, however late; what came before is read again.
TEST(Dates, LateDaysDecide) {
  std::vector<std::string> cells(200, "01/02/2024");
  for (size_t i = 0; i < 60; ++i)
    cells[i] = fmt::format("{:02}/{:02}/20{}", 1 + i % 12, 1 + i % 7, 10 + i % 15);
  cells.emplace_back("13/02/2024");
  const InferredColumn found = inferred(cells);
  EXPECT_EQ(found.column.date_format, "%d/%m/%Y");
  EXPECT_EQ(found.cells[100], *read("%Y-%m-%d", "2024-02-01"));
  EXPECT_EQ(found.cells[1], *read("%Y-%m-%d", "2011-02-02"));
}

TEST(Dates, WholeNumbersMayBeDates) {
  std::vector<std::string> days, times;
  for (int i = 0; i < 40; ++i) {
    days.push_back(fmt::format("2024{:02}{:02}", 1 + i % 12, 1 + i % 28));
    times.push_back(days.back() + "103000");
  }
  const InferredColumn found = inferred(days);
  EXPECT_EQ(found.column.kind, ColumnKind::datetime);
  EXPECT_EQ(found.column.date_format, "%Y%m%d");
  EXPECT_EQ(found.cells[0], *read("%Y-%m-%d", "2024-01-01"));
  EXPECT_EQ(cell_text(found.column, found.cells[5]), days[5]);
  EXPECT_THAT(found.column.note, HasSubstr("the type c=integer"));
  EXPECT_EQ(inferred(times).column.date_format, "%Y%m%d%H%M%S");
  EXPECT_EQ(inferred(days, {.kind = ColumnKind::integer}).column.kind, ColumnKind::integer);
  days[7] = "20240230";
  EXPECT_EQ(inferred(days).column.kind, ColumnKind::integer);
  EXPECT_THAT(refusal_of([&] { inferred(days, {.kind = ColumnKind::datetime}); }, ErrorKind::input),
              HasSubstr("found '20240230'"));
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
