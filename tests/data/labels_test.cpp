#include "fokker/data/labels.h"

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LabelColumn sorted(const std::vector<std::string>& texts, const std::vector<int64_t>& codes) {
  return sorted_labels(texts, codes, "x.csv");
}

TEST(Labels, AreTextOrWholeNumbersHoweverWritten) {
  EXPECT_EQ(whole_label("7"), 7);
  EXPECT_EQ(whole_label("+007"), 7);
  EXPECT_EQ(whole_label("7.0"), 7);
  EXPECT_EQ(whole_label("-2e9"), -2'000'000'000);
  EXPECT_EQ(whole_label("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(whole_label("9223372036854775806"), INT64_MAX - 1);
  for (const char* text : {"", "seven", "7.5", "nan", "inf", "1e300", "9223372036854775808", "7 8", "0x7"})
    EXPECT_FALSE(whole_label(text).has_value()) << text;
}

TEST(Labels, NumbersStandByValueAndTextByItsBytes) {
  const LabelColumn numbers = sorted({"10", "9", "10.0", "-1", "2e9"}, {0, 1, 2, 3, 4, 0});
  EXPECT_THAT(numbers.names, ElementsAre("-1", "9", "10", "2e9"));
  EXPECT_TRUE(numbers.labels.equal(at::tensor({2, 1, 2, 0, 3, 2}, at::kLong)));
  const LabelColumn text = sorted({"b", "10", "9", "a b"}, {0, 1, 2, 3});
  EXPECT_THAT(text.names, ElementsAre("10", "9", "a b", "b"));
  EXPECT_TRUE(text.labels.equal(at::tensor({3, 0, 1, 2}, at::kLong)));
  // Ids that float64 cannot tell apart stay apart.
  EXPECT_THAT(sorted({"9007199254740993", "9007199254740992"}, {0, 1}).names,
              ElementsAre("9007199254740992", "9007199254740993"));
  EXPECT_THAT(sorted({"99999999999999999993", "99999999999999999992"}, {0, 1}).names,
              ElementsAre("99999999999999999992", "99999999999999999993"));
}

TEST(Labels, RealNumbersAreRefused) {
  EXPECT_THAT(error_of([] {
                sorted({"1", "0.5"}, {0, 1});
              }),
              HasSubstr("x.csv: expected labels that are text"));
  EXPECT_THAT(error_of([] { sorted({"1", "nan"}, {0, 1}); }), HasSubstr("but found 'nan'"));
  EXPECT_EQ(sorted({"0.5", "high"}, {0, 1}).names.size(), 2u);
  Dataset data{.values = at::zeros({2, 1}), .source = "s"};
  for (const double bad : {0.5, std::nan(""), double(INFINITY), 1e17}) {
    data.labels = at::tensor({1.0, bad}, at::kDouble);
    EXPECT_THAT(error_of([&] { name_labels(data, "l.npy"); }), HasSubstr("l.npy: row 1 (from 0)"));
  }
}

TEST(Labels, OfArraysAreNamedByTheirNumbers) {
  Dataset data{.values = at::zeros({4, 1}), .labels = at::tensor({5, -3, 5, 2'000'000'000}, at::kInt)};
  name_labels(data, "l.npy");
  EXPECT_THAT(data.label_names, ElementsAre("-3", "5", "2000000000"));
  EXPECT_TRUE(data.labels.equal(at::tensor({1, 0, 1, 2}, at::kLong)));
  // Of given names those that occur remain, and a second call changes nothing.
  data.labels = at::tensor({2, 0, 2, 2}, at::kLong);
  for (int i = 0; i < 2; ++i) {
    name_labels(data, "l.npy");
    EXPECT_THAT(data.label_names, ElementsAre("-3", "2000000000"));
    EXPECT_TRUE(data.labels.equal(at::tensor({1, 0, 1, 1}, at::kLong)));
  }
  data.labels = at::tensor({0, 1, 2, -1}, at::kLong);
  EXPECT_THAT(error_of([&] { name_labels(data, "l.npy"); }), HasSubstr("expected labels of 0 to 1"));
}

TEST(Labels, AreFoundAsTheUserWritesThem) {
  const std::vector<std::string> numbers = {"-1", "07", "2e9"}, text = {"1", "cat"};
  EXPECT_EQ(find_label(numbers, "07"), 1);
  EXPECT_EQ(find_label(numbers, "7"), 1);
  EXPECT_EQ(find_label(numbers, "2000000000"), 2);
  EXPECT_EQ(find_label(numbers, "-1.0"), 0);
  for (const char* missing : {"0", "1", "", "cat", "7.5"})
    EXPECT_FALSE(find_label(numbers, missing)) << missing;
  EXPECT_EQ(find_label(text, "cat"), 1);
  EXPECT_FALSE(find_label(text, "01"));
  EXPECT_FALSE(find_label(text, "Cat"));
}

TEST(Labels, OfAnotherFileArePlacedAmongThoseOfTraining) {
  Dataset data{.values = at::zeros({3, 1}),
               .labels = at::tensor({1, 0, 1}, at::kLong),
               .label_names = {"2.0", "3"},
               .source = "held.csv"};
  EXPECT_TRUE(labels_among(data, {"1", "2", "3"}).equal(at::tensor({2, 1, 2}, at::kLong)));
  EXPECT_THAT(
      error_of([&] {
        labels_among(data, {"1", "2"});
      }),
      HasSubstr("held.csv: row 0 (from 0): label '3' was not there in training: expected one of 1, 2"));
  // A name that no row has is no matter.
  data.labels = at::zeros({3}, at::kLong);
  EXPECT_TRUE(labels_among(data, {"1", "2"}).equal(at::ones({3}, at::kLong)));
}

TEST(Labels, AreListedShortenedWhereMany) {
  EXPECT_EQ(list_labels({"a", "b"}), "a, b");
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(list_labels(many), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..., 999 (1000 in all)");
}

}  // namespace
}  // namespace fokker
