#include "fokker/data/array/cifar.h"

#include <gmock/gmock.h>

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

class Cifar : public FolderTest {
 protected:
  /// Records of these labels, a level that tells row, channel and place.
  static std::string records(const std::vector<std::string>& labels) {
    std::string all;
    for (size_t i = 0; i < labels.size(); ++i) {
      all += labels[i];
      for (size_t p = 0; p < 3072; ++p) all += static_cast<char>((p / 1024) * 50 + p % 32 + i);
    }
    return all;
  }
  std::string refusal(const std::string& bytes) {
    return error_of([&] { load_cifar(write("x.bin", bytes)); });
  }
};

TEST_F(Cifar, ReadsTheTenClasses) {
  const Dataset data = load_cifar(write("x.bin", records({"\x07", "\x08"})));
  EXPECT_EQ(data.values.sizes(), (std::vector<int64_t>{2, 3, 32, 32}));
  EXPECT_EQ(data.values[1][2][5][9].item<int>(), 2 * 50 + 9 + 1);
  EXPECT_TRUE(data.labels.equal(at::tensor({7, 8}, at::kLong)));
  EXPECT_EQ(data.label_names[8], "ship");
  EXPECT_THAT(refusal(records({"\x07", "\x0a"})),
              HasSubstr("byte 3073: expected a label of 0 to 9 but found 10"));
}

TEST_F(Cifar, ReadsTheHundredClassesByTheirFineLabels) {
  const Dataset data = load_cifar(write("x.bin", records({"\x13\x63", {"\x00\x00", 2}})));
  EXPECT_TRUE(data.labels.equal(at::tensor({99, 0}, at::kLong)));
  ASSERT_EQ(data.label_names.size(), 100u);
  EXPECT_EQ(data.label_names[99], "worm");
  EXPECT_EQ(data.label_names[57], "pear");
  EXPECT_EQ(data.values[0][1][0][3].item<int>(), 50 + 3);
  EXPECT_THAT(refusal(records({"\x13\x64"})), HasSubstr("byte 1: expected a label of 0 to 99 but found 100"));
}

TEST_F(Cifar, RefusesOtherLengths) {
  EXPECT_THAT(refusal("x"), HasSubstr("a multiple of 3073 or 3074 bytes, but it has 1 byte"));
  EXPECT_THAT(refusal(""), HasSubstr("it has 0 bytes"));
}

}  // namespace
}  // namespace fokker
