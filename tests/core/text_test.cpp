#include "fokker/core/text/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/core/text/json.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

constexpr size_t none = std::string_view::npos;

std::string encoded(uint32_t code) {
  std::string text;
  if (code < 0x80) return {static_cast<char>(code)};
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  text += static_cast<char>((0xff00 >> (more + 1) & 0xff) | (code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3f));
  return text;
}

TEST(Text, KnowsEveryCharacterOfUtf8) {
  for (uint32_t code = 0; code < 0x110000; code += code < 0x1000 ? 1 : 61) {
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    EXPECT_EQ(first_invalid_utf8("ab" + encoded(code) + "c"), surrogate ? 2 : none) << std::hex << code;
  }
  for (const uint32_t code : {0x7fu, 0x80u, 0x7ffu, 0x800u, 0xd7ffu, 0xe000u, 0xffffu, 0x10000u, 0x10ffffu})
    EXPECT_EQ(first_invalid_utf8(encoded(code)), none) << std::hex << code;
  for (const uint32_t code : {0xd800u, 0xdfffu, 0x110000u}) EXPECT_EQ(first_invalid_utf8(encoded(code)), 0u);
  for (const std::string text : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xff", "\x80",
                                 "\xc3", "\xe2\x82", "\xf0\x9f\x98"})
    EXPECT_EQ(first_invalid_utf8("x" + text), 1u);
  EXPECT_EQ(first_invalid_utf8("caf\xe9 x"), 3u);
  EXPECT_EQ(first_invalid_utf8(""), none);
}

TEST(Text, ConvertsLatin1) {
  std::string all;
  for (int code = 0; code < 256; ++code) all += static_cast<char>(code);
  std::string expected;
  for (uint32_t code = 0; code < 256; ++code) expected += encoded(code);
  EXPECT_EQ(utf8_from_latin1(all), expected);
  EXPECT_EQ(utf8_from_latin1("gr\xf6\xdf"
                             "e"),
            "größe");
}

TEST(Text, IsShownOnOneShortLine) {
  EXPECT_EQ(shown("größe"), "größe");
  EXPECT_EQ(shown("caf\xe9\n\x7f"), "caf\\xE9??");
  EXPECT_EQ(shown(std::string(40, 'z')), std::string(40, 'z'));
  EXPECT_EQ(shown(std::string(41, 'z')), std::string(40, 'z') + "...");
  // Characters are not cut in two.
  EXPECT_EQ(shown(std::string(39, 'z') + "é"), std::string(39, 'z') + "...");
}

TEST(Text, IsRefusedByItsByte) {
  EXPECT_NO_THROW(check_utf8("größe", "x"));
  try {
    check_utf8("caf\xe9", "l.csv: the name");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(error.what(),
                 "l.csv: the name: byte 4: expected text in UTF-8 but found 0xE9 in 'caf\\xE9'");
  }
}

// A path may hold any bytes; the record of finished work is written nevertheless.
TEST(Text, OfAPathGoesIntoJson) {
  const Json json = {{"path",
                      "/data/gr\xf6\xdf"
                      "e.csv"},
                     {"n", 3}};
  EXPECT_EQ(json_text(json), "{\"path\":\"/data/gr\uFFFD\uFFFDe.csv\",\"n\":3}");
  EXPECT_EQ(Json::parse(json_text(json, 2))["n"], 3);
}

}  // namespace
}  // namespace fokker
