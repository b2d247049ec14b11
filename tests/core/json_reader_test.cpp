#include "fokker/core/text/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fokker::detail {
namespace {

const Json json =
    Json::parse(R"({"count": 3, "size": -2, "rate": 0.5, "whole": 4, "on": true, "name": "a", "none": null,
  "numbers": [1, 2.5], "mixed": [1, "b"], "huge": 18446744073709551615, "inner": {"name": 7}})");
const JsonReader reader(json, "f.json");

template <typename T>
std::string refusal(const JsonReader& from, const char* key) {
  try {
    (void)from.get<T>(key);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(JsonReader, GivesMembersOfTheirOwnType) {
  EXPECT_EQ(reader.get<int>("count"), 3);
  EXPECT_EQ(reader.get<int64_t>("size"), -2);
  EXPECT_EQ(reader.get<uint64_t>("huge"), UINT64_MAX);
  EXPECT_EQ(reader.get<double>("rate"), 0.5);
  EXPECT_EQ(reader.get<double>("whole"), 4);
  EXPECT_TRUE(reader.get<bool>("on"));
  EXPECT_EQ(reader.get<std::string>("name"), "a");
  EXPECT_EQ(reader.get<std::vector<double>>("numbers"), (std::vector<double>{1, 2.5}));
}

// Nothing is converted: neither true to 1, nor 0.5 to 0, nor a number to one that wraps.
TEST(JsonReader, RefusesOthersByPlaceAndKey) {
  EXPECT_EQ(refusal<double>(reader, "on"), "f.json: expected \"on\" to be a number but received true");
  EXPECT_EQ(refusal<int64_t>(reader, "rate"), "f.json: expected \"rate\" to be an integer but received 0.5");
  EXPECT_EQ(refusal<int64_t>(reader, "huge"),
            "f.json: expected \"huge\" to be an integer but received 18446744073709551615");
  EXPECT_EQ(refusal<uint64_t>(reader, "size"),
            "f.json: expected \"size\" to be an integer of 0 or more but received -2");
  EXPECT_EQ(refusal<std::vector<std::string>>(reader, "mixed"),
            "f.json: expected \"mixed\" to be a list of strings but received [1,\"b\"]");
  EXPECT_EQ(refusal<bool>(reader, "none"), "f.json: expected \"none\" to be true or false but received null");
  EXPECT_EQ(refusal<std::string>(reader.at("inner"), "name"),
            "f.json: inner: expected \"name\" to be a string but received 7");
  EXPECT_EQ(refusal<bool>(reader, "else"), "f.json: expected a member 'else'");
  EXPECT_EQ(refusal<bool>(reader.at("name"), "else"), "f.json: name: expected a member 'else'");
}

TEST(JsonReader, LeavesWhatIsNotSaid) {
  int64_t value = 9;
  reader.read("else", value);
  reader.read("none", value);
  const Json text("text");
  JsonReader(text, "f.json").read("count", value);
  EXPECT_EQ(value, 9);
  reader.read("count", value);
  EXPECT_EQ(value, 3);
  EXPECT_THROW(reader.read("name", value), Error);
  reader.require("else", {"b"});
  reader.require("none", {"b"});
  reader.require("name", {"b", "a"});
  EXPECT_THROW(reader.require("name", {"b"}), Error);
  EXPECT_THROW(reader.require("name", {}), Error);
}

}  // namespace
}  // namespace fokker::detail
