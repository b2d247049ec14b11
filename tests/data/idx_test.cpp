#include "fokker/data/array/idx.h"

#include <zlib.h>

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

const std::string header("\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3", 16);  // uint8 (2, 2, 3)

class Idx : public FolderTest {
 protected:
  std::filesystem::path compress(const std::string& name, const std::string& content) {
    const gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    return path(name);
  }
};

TEST_F(Idx, ReadsPlainAndGzipped) {
  const std::string content = header + "abcdefghijkl";
  const Tensor expected = at::arange('a', 'm', at::kByte).reshape({2, 2, 3});
  EXPECT_TRUE(load_idx(write("x-ubyte", content)).equal(expected));
  EXPECT_TRUE(load_idx(compress("x.gz", content)).equal(expected));
  // Members of a gzip file may be concatenated.
  compress("first.gz", content.substr(0, 20));
  compress("second.gz", content.substr(20));
  EXPECT_TRUE(load_idx(write("both.gz", read("first.gz") + read("second.gz"))).equal(expected));
}

TEST_F(Idx, ReadsBigEndianTypes) {
  const auto load = [&](const std::string& bytes) { return load_idx(write("x.idx", bytes)); };
  EXPECT_EQ(load(std::string("\0\0\x0B\1\0\0\0\1\xff\xfe", 10)).item<int>(), -2);
  EXPECT_EQ(load(std::string("\0\0\x0C\1\0\0\0\1\0\1\0\0", 12)).item<int>(), 65536);
  EXPECT_EQ(load(std::string("\0\0\x0D\1\0\0\0\1\x40\x20\0\0", 12)).item<float>(), 2.5f);
  EXPECT_EQ(load(std::string("\0\0\x0E\1\0\0\0\1\xc0\x04\0\0\0\0\0\0", 16)).item<double>(), -2.5);
  EXPECT_EQ(load(std::string("\0\0\x09\1\0\0\0\1\xff", 9)).item<int>(), -1);
}

// A size has four bytes, the highest first.
TEST_F(Idx, ReadsSizesOfManyBytes) {
  std::string content("\0\0\x08\2\0\1\x11\x70\0\0\0\1", 12);
  content.resize(content.size() + 70'000, 'x');
  const Tensor values = load_idx(write("x.idx", content));
  EXPECT_EQ(values.sizes().vec(), (std::vector<int64_t>{70'000, 1}));
  EXPECT_THAT(error_of([&] { load_idx(write("x.idx", std::string("\0\0\x08\1\x12\x34\x56\x78", 8))); }),
              HasSubstr("claims 305419896 bytes"));
}

TEST_F(Idx, RefusesByName) {
  const auto refusal = [&](const std::string& bytes) {
    return error_of([&] { load_idx(write("x.idx", bytes)); });
  };
  EXPECT_THAT(
      refusal(header + "abc"),
      HasSubstr("x.idx: truncated: its header claims 12 bytes of data, shape (2, 2, 3), but only 3 bytes"));
  EXPECT_THAT(refusal(header + "abcdefghijklm"), HasSubstr("expected the file to end at byte 28"));
  EXPECT_THAT(refusal("hello world"), HasSubstr("expected an IDX file"));
  EXPECT_THAT(refusal(std::string("\0\0\x0A\1\0\0\0\1x", 9)), HasSubstr("byte 2: expected an IDX type"));
  EXPECT_THAT(refusal(std::string("\0\0\x08\0", 4)),
              HasSubstr("byte 3: expected 1 to 8 dimensions but found 0"));
  EXPECT_THAT(refusal(std::string("\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16)),
              HasSubstr("too large for any file"));
  EXPECT_THAT(refusal(""), HasSubstr("truncated: expected 4 bytes at byte 0 but only 0 bytes follow"));
}

TEST_F(Idx, RefusesGzipThatHoldsLess) {
  std::string large = header;
  large[4] = 0x7f;
  EXPECT_THAT(error_of([&] { load_idx(compress("x.gz", large + "abc")); }), HasSubstr("its header claims"));
  // A claim that the compressed size allows: found out by reading, in steps.
  std::string noise(100'000, ' ');
  uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  std::string medium = header;
  medium[6] = 0x7f;
  EXPECT_THAT(error_of([&] { load_idx(compress("x.gz", medium + noise)); }),
              HasSubstr("claims 195084 bytes of data but only 100000 bytes follow"));
  EXPECT_THAT(error_of([&] { load_idx(compress("x.gz", header + std::string(13, 'x'))); }),
              HasSubstr("expected the file to end at byte 28"));
}

TEST_F(Idx, SurvivesDamage) {
  const std::string content = header + "abcdefghijkl";
  const auto use = [&](const std::string& bytes) { load_idx(write("y", bytes)); };
  EXPECT_GT(survive_damage(content, use), 30);
  compress("x.gz", content);
  // Gzip's checksum finds every change but those of its name and time fields.
  EXPECT_GT(survive_damage(read("x.gz"), use), 80);
}

}  // namespace
}  // namespace fokker
