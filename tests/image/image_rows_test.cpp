// Folders of images whose rows stay on disk.
#include "fokker/image/image_rows.h"

#include <gmock/gmock.h>

#include "fokker/core/random/rng.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

class ImageRows : public FolderTest {
 protected:
  void write_image(const std::string& name, const Tensor& image) const {
    write("images/" + name, encode_png(image));
  }
  static Tensor levels(int64_t channels, uint64_t seed) {
    return (Rng(seed).uniform({channels, 5, 4}, {}) * 255).to(at::kByte);
  }
  /// What is read as it is needed is what is read at once.
  void expect_same(const ImageFolderOptions& options = {}) const {
    const Dataset whole = load_image_folder(path("images"), options),
                  rows = open_image_folder(path("images"), options);
    ASSERT_EQ(rows.type(), whole.type());
    EXPECT_TRUE(rows.loaded().values.equal(whole.values));
    EXPECT_EQ(rows.notes, whole.notes);
    EXPECT_EQ(rows.label_names, whole.label_names);
    const Tensor some = at::tensor(std::vector<int64_t>{2, 0, 2}, at::TensorOptions(at::kLong));
    EXPECT_TRUE(rows.rows(some).equal(whole.values.index_select(0, some)));
  }
};

TEST_F(ImageRows, AreThoseOfTheFolderReadAtOnce) {
  for (uint64_t i = 0; i < 4; ++i) write_image(fmt::format("{}.png", i), levels(3, i));
  write("images/notes.txt", "no image");
  expect_same();
  expect_same({.channels = 1});
  expect_same({.channels = 3, .size = {3, 2}});
}

TEST_F(ImageRows, AlphaIsLeftOutWhereAllAreOpaque) {
  for (uint64_t i = 0; i < 4; ++i) {
    Tensor image = levels(4, i);
    image[3].fill_(255);
    write_image(fmt::format("{}.png", i), image);
  }
  expect_same();
  Tensor transparent = levels(4, 9);
  write_image("2.png", transparent);
  expect_same();
  expect_same({.channels = 3});
}

TEST_F(ImageRows, LabelsAreTheNamesOfSubFolders) {
  for (uint64_t i = 0; i < 3; ++i) write_image(fmt::format("cat/{}.png", i), levels(1, i));
  for (uint64_t i = 0; i < 2; ++i) write_image(fmt::format("dog/{}.png", i), levels(1, 10 + i));
  expect_same();
  const Dataset rows = open_image_folder(path("images"));
  EXPECT_TRUE(rows.labels.equal(load_image_folder(path("images")).labels));
  EXPECT_EQ(bytes_of_image_folder(path("images")), 2.0 * 5 * 20);
}

}  // namespace
}  // namespace fokker
