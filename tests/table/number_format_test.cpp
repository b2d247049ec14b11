#include "fokker/table/number_format.h"

#include "support.h"

namespace fokker {
namespace {

/// The format of these, all of which are amounts.
NumberFormat format_of(const std::vector<std::string>& texts, char decimal = '.') {
  NumberFormatReader reader;
  for (const std::string& text : texts) EXPECT_TRUE(reader.add(text, decimal)) << text;
  return reader.format();
}

TEST(NumberFormats, AreFoundAndWrittenAgain) {
  struct Case {
    std::vector<std::string> texts;
    std::vector<std::string> digits;
    char decimal = '.';
  };
  const Case cases[] = {
      {{"$1,234.50", "-$5.00", "$1,000,000.25"}, {"1234.50", "-5.00", "1000000.25"}},
      {{"$-5", "$7"}, {"-5", "7"}},
      {{"(1,234.50)", "5,000.00"}, {"-1234.50", "5000.00"}},
      {{"($5)", "$12"}, {"-5", "12"}},
      {{"45.3%", "-2%"}, {"45.3", "-2"}},
      {{"12 %"}, {"12"}},
      {{"1.234,50 \xe2\x82\xac", "-7,00 \xe2\x82\xac"}, {"1234,50", "-7,00"}, ','},
      {{"1'234.50"}, {"1234.50"}},
      {{"1 234 567"}, {"1234567"}},
      {{"1\xc2\xa0"
        "234,5"},
       {"1234,5"},
       ','},
      {{"72.5 kg", "80 kg"}, {"72.5", "80"}},
      {{"USD 1,000", "USD 12"}, {"1000", "12"}},
      {{"25\xc2\xb0"
        "C",
        "-3\xc2\xb0"
        "C"},
       {"25", "-3"}},
      {{"$.50"}, {".50"}},
  };
  for (const Case& each : cases) {
    const NumberFormat format = format_of(each.texts, each.decimal);
    for (size_t i = 0; i < each.texts.size(); ++i) {
      EXPECT_EQ(format.digits_of(each.texts[i], each.decimal), each.digits[i]) << each.texts[i];
      EXPECT_EQ(format.dressed(each.digits[i], each.decimal), each.texts[i]);
    }
    Json json = Json::object();
    format.add_to(json);
    EXPECT_EQ(NumberFormat::from_json(json, "c"), format);
  }
}

TEST(NumberFormats, OthersAreNoNumbers) {
  for (const char* text :
       {"",     "$",       "abc", "12A",    "A12",  "1,23,456", "12,34", "0,123", "1,2345",     "10.0.0.1",
        "5-10", "1st Q 2", "#12", "$1.2.3", "12/5", "(5",       "5'11",  "<5%",   "1,234,56.7", "$ -"}) {
    NumberFormatReader reader;
    EXPECT_FALSE(reader.add(text, '.')) << text;
  }
  NumberFormatReader reader;
  EXPECT_TRUE(reader.add("$5", '.'));
  for (const char* text : {"5%",
                           "\xe2\x82\xac"
                           "5",
                           "5 kg"})
    EXPECT_FALSE(reader.add(text, '.')) << text;
}

TEST(NumberFormats, ThousandsAreInDoubtWhereACommaMayBeDecimal) {
  NumberFormatReader reader;
  reader.add("1,234", '.');
  reader.add_bare(999);
  EXPECT_TRUE(reader.is_group_in_doubt());
  EXPECT_FALSE(reader.has_open_thousands());
  reader.add("1,234.5", '.');
  EXPECT_FALSE(reader.is_group_in_doubt());
  reader.add_bare(-2500);
  EXPECT_TRUE(reader.has_open_thousands());
}

// The separator of thousands makes room for the decimals.
TEST(NumberFormats, SeparatorsAreNotTheSame) {
  const NumberFormat german{.group = "."};
  EXPECT_EQ(german.dressed("1234567,5", ','), "1.234.567,5");
  EXPECT_EQ(german.dressed("1234567.5", '.'), "1,234,567.5");
}

TEST(NumberFormats, FilesAreChecked) {
  const auto refusal = [](const Json& json) {
    return refusal_of([&] { NumberFormat::from_json(json, "column 'c'"); }, ErrorKind::input);
  };
  EXPECT_THAT(refusal({{"minus", "last"}}), ::testing::HasSubstr("unknown minus 'last'"));
  EXPECT_THAT(refusal({{"prefix", "5"}}), ::testing::HasSubstr("none a digit"));
  EXPECT_THAT(refusal({{"suffix", std::string(40, 'x')}}), ::testing::HasSubstr("a few characters"));
}

}  // namespace
}  // namespace fokker
