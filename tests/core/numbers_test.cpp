#include "fokker/core/text/numbers.h"

#include <gtest/gtest.h>

#include <clocale>

#include "fokker/core/device.h"
#include "fokker/core/runtime.h"
#include "fokker/core/text/spec.h"
#include "support.h"

namespace fokker {
namespace {

TEST(Numbers, WholeOnesAreReadExactly) {
  EXPECT_EQ(parse_unsigned("seed", "18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_unsigned("seed", "4294967297"), 4294967297u);
  EXPECT_EQ(parse_integer("n", "-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_integer("n", "9223372036854775807"), INT64_MAX);
  // Leading zeros are no octal.
  EXPECT_EQ(parse_integer("n", "010"), 10);
  EXPECT_EQ(parse_integer("n", "+7"), 7);
  EXPECT_EQ(parse_integer("n", "-0"), 0);
  EXPECT_EQ(parse_integer("n", "2e7"), 20'000'000);
  EXPECT_EQ(parse_unsigned("seed", "5.0"), 5u);
}

TEST(Numbers, WholeOnesDoNotWrapOrSaturate) {
  for (const char* text : {"18446744073709551616", "99999999999999999999999", "-1", "1e23", "2e19", "-5.0"})
    expect_error(
        [&] { parse_unsigned("seed", text); }, ErrorKind::argument,
        std::string("seed: expected a whole number from 0 to 18446744073709551615 but received '") + text);
  // Above 2^53 a real number no longer says which whole one is meant.
  for (const char* text :
       {"9223372036854775808", "-9223372036854775809", "1e19", "9.1e15", "9007199254740994.0"})
    EXPECT_THROW(parse_integer("n", text), Error) << text;
  expect_error([] { parse_integer("n", "1e18"); }, ErrorKind::argument,
               "n: expected all the digits of a number beyond 2^53 but received '1e18'");
  expect_error([] { parse_integer("threads", "4294967297", 0, 1024); }, ErrorKind::argument,
               "threads: expected a whole number from 0 to 1024 but received '4294967297'");
}

TEST(Numbers, WhatIsNoneIsRefused) {
  const std::string nul("5\0", 2);
  for (const std::string& text :
       {std::string(), std::string(" "), std::string("5 "), std::string(" 5"), std::string("0x10"),
        std::string("0b1"), std::string("1_000"), std::string("1,000"), std::string("5steps"),
        std::string("--5"), std::string("+-5"), std::string("inf"), std::string("nan"), std::string("٣"),
        nul}) {
    EXPECT_THROW(parse_integer("n", text), Error) << text;
    EXPECT_THROW(parse_unsigned("n", text), Error) << text;
    EXPECT_THROW(parse_real("x", text), Error) << text;
  }
  EXPECT_THROW(parse_integer("n", "2.5"), Error);
  for (const char* text : {"-inf", "infinity", "NaN", "nan(1)", "0x1p3", "1e", "1.2.3", "1,5"})
    EXPECT_THROW(parse_real("x", text), Error) << text;
}

TEST(Numbers, RealOnesAreReadToTheLastBitAndNotBeyondTheRange) {
  EXPECT_EQ(parse_real("x", "0.1"), 0.1);
  EXPECT_EQ(parse_real("x", "-1.5e-300"), -1.5e-300);
  EXPECT_EQ(parse_real("x", ".5"), 0.5);
  EXPECT_EQ(parse_real("x", "+2."), 2.0);
  EXPECT_EQ(parse_real("x", "1.7976931348623157e308"), std::numeric_limits<double>::max());
  for (const char* text : {"1e309", "-1e999", "1e-999"})
    expect_error([&] { parse_real("rate", text); }, ErrorKind::argument,
                 "rate: expected a number that a double holds");
}

TEST(Numbers, TheLocaleDoesNotMatter) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  // Where the system has none with a decimal comma, this checks the C locale once more.
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C"})
    if (std::setlocale(LC_ALL, name)) break;
  EXPECT_EQ(parse_real("x", "1.5"), 1.5);
  EXPECT_THROW(parse_real("x", "1,5"), Error);
  std::setlocale(LC_ALL, before.c_str());
}

TEST(Numbers, AMinusIsEitherOfUnicodes) {
  double value = 0;
  EXPECT_EQ(parse_number("\xe2\x88\x92"
                         "1.5e\x2d"
                         "2",
                         value),
            NumberError::none);
  EXPECT_EQ(value, -0.015);
  EXPECT_EQ(parse_number("\xe2\x88\x92"
                         "1,5",
                         value, ','),
            NumberError::none);
  EXPECT_EQ(value, -1.5);
  for (const char* none : {"\xe2\x88\x92", "\xe2\x88\x92-1",
                           "-\xe2\x88\x92"
                           "1",
                           "1\xe2\x88\x92"})
    EXPECT_EQ(parse_number(none, value), NumberError::text) << none;
}

TEST(Spec, ItsNumbersAreThoseOfTheCommandLine) {
  Spec spec("process", "ddpm:steps=1e30,scale=1e400,whole=1e3");
  expect_error(
      [&] { spec.integer("steps", 0); }, ErrorKind::argument,
      "process ddpm: steps: expected a whole number from -9223372036854775808 to 9223372036854775807 but "
      "received '1e30'");
  expect_error([&] { spec.number("scale", 0); }, ErrorKind::argument,
               "process ddpm: scale: expected a number");
  EXPECT_EQ(spec.integer("whole", 0), 1000);
  Spec odd("process", "vp:beta_min=inf,beta_max=");
  EXPECT_THROW(odd.number("beta_min", 0), Error);
  EXPECT_THROW(odd.number("beta_max", 0), Error);
}

// The second used to replace the first without a word.
TEST(Spec, AParameterIsGivenOnce) {
  expect_error([] { Spec("process", "vp:beta_min=1,beta_min=2"); }, ErrorKind::argument,
               "beta_min is given twice");
}

TEST(Device, IndicesAndThreadsDoNotWrap) {
  for (const char* text : {"cuda:4294967296", "cuda:-1", "cuda:128", "cuda:0x1"})
    EXPECT_THROW(parse_device(text), Error) << text;
  EXPECT_THROW(set_threads(4294967297), Error);
  EXPECT_THROW(set_threads(-1), Error);
}

}  // namespace
}  // namespace fokker
