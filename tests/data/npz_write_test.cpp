#include "data/damage.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

class NpzWriting : public FolderTest {};

TEST_F(NpzWriting, IsReadBackStoredAndDeflated) {
  const std::map<std::string, Tensor> arrays = {
      {"images", at::arange(24, at::kFloat).view({2, 3, 4}).transpose(0, 1)},
      {"labels", at::tensor({3, -1}, at::kLong)},
      {"none", at::zeros({0, 2}, at::kDouble)}};
  for (const bool compressed : {false, true}) {
    save_npz(path("w.npz"), arrays, compressed);
    const auto read_back = load_npz(path("w.npz"));
    ASSERT_EQ(read_back.size(), 3u);
    for (const auto& [name, tensor] : arrays) {
      EXPECT_EQ(read_back.at(name).scalar_type(), tensor.scalar_type());
      EXPECT_TRUE(read_back.at(name).equal(tensor)) << name;
    }
    const std::string bytes = read("w.npz");
    save_npz(path("w.npz"), arrays, compressed);
    EXPECT_EQ(read("w.npz"), bytes);
  }
  // Many pieces of zlib's: 5 MB of zeros are 5 kB.
  save_npz(path("z.npz"), {{"z", at::zeros({5'000'000}, at::kByte)}}, true);
  EXPECT_LT(read("z.npz").size(), 6000u);
  EXPECT_EQ(load_npz(path("z.npz")).at("z").size(0), 5'000'000);
  EXPECT_THAT(error_of([&] { save_npz(path("e.npz"), {}); }, ErrorKind::argument),
              HasSubstr("at least one array"));
  EXPECT_EQ(file_count(), 2u);
}

}  // namespace
}  // namespace fokker
