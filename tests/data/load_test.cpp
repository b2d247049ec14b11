#include "fokker/data/load.h"

#include "data/damage.h"
#include "fokker/data/array/npy.h"
#include "fokker/image/image.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Load : public FolderTest {
 protected:
  Dataset npy(const Tensor& array, const LoadOptions& options = {}) {
    save_npy(path("x.npy"), array);
    return load_data(path("x.npy"), options);
  }
  std::string refusal(const std::string& name, const LoadOptions& options = {},
                      ErrorKind kind = ErrorKind::input) {
    return error_of([&] { load_data(path(name), options); }, kind);
  }
};

TEST_F(Load, MakesTablesOfTwoDimensions) {
  const Tensor values = at::arange(6, at::kFloat).reshape({3, 2});
  const Dataset data = npy(values);
  EXPECT_TRUE(data.values.equal(values.to(at::kDouble)));
  EXPECT_THAT(data.columns, ElementsAre("x0", "x1"));
  EXPECT_EQ(npy(at::arange(4, at::kInt)).values.sizes(), (std::vector<int64_t>{4, 1}));
  write("x.csv", "a,k\n1,u\n2,v\n");
  const Dataset csv = load_data(path("x.csv"), {.label_column = "k"});
  EXPECT_THAT(csv.columns, ElementsAre("a"));
  EXPECT_THAT(csv.label_names, ElementsAre("u", "v"));
  EXPECT_TRUE(csv.columns_named);
  EXPECT_FALSE(data.columns_named);
  write("x.TSV", "1\t2\n");
  EXPECT_EQ(load_data(path("x.TSV")).values[0][1].item<double>(), 2);
}

TEST_F(Load, MakesImagesOfThreeAndFour) {
  const Tensor grey = at::arange(24, at::kByte).reshape({2, 3, 4});
  EXPECT_TRUE(npy(grey).values.equal(grey.unsqueeze(1)));
  const Tensor floats = at::rand({2, 3, 4, 5}, at::kDouble) * 2 - 1;
  EXPECT_TRUE(npy(floats).values.equal(floats.to(at::kFloat)));
  write("t-images-idx3-ubyte", std::string("\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\2", 16) + "abcd");
  EXPECT_EQ(load_data(path("t-images-idx3-ubyte")).values.sizes(), (std::vector<int64_t>{2, 1, 1, 2}));
  save_png(path("x.png"), at::zeros({3, 4, 5}, at::kByte));
  EXPECT_EQ(load_data(path("x.png")).values.sizes(), (std::vector<int64_t>{1, 3, 4, 5}));
  EXPECT_EQ(load_data(path("x.png"), {.image_size = {2, 2}, .channels = 1}).values.sizes(),
            (std::vector<int64_t>{1, 1, 2, 2}));
  std::filesystem::create_directories(path("f"));
  std::filesystem::rename(path("x.png"), path("f/x.png"));
  EXPECT_EQ(load_data(path("f"), {.image_size = {2, 2}}).values.sizes(), (std::vector<int64_t>{1, 3, 2, 2}));
}

// As in a program that does not link fokker::image; or has a reader of its own.
TEST_F(Load, ReadsImagesByTheReaderThatItHas) {
  write("x.png", "PNG");
  const ImageReader usual = set_image_reader({});
  EXPECT_THAT(refusal("x.png", {}, ErrorKind::failed),
              HasSubstr("x.png: this program has no reader of images"));
  EXPECT_EQ(npy(at::zeros({2, 1, 3, 3})).size(), 2) << "an array needs none";
  set_image_reader([](const std::filesystem::path&, int64_t channels, ImageSize size) {
    return Dataset{.values = at::full({1, channels, size.height, size.width}, 7, at::kByte)};
  });
  const Tensor seen = load_data(path("x.png"), {.image_size = {3, 2}, .channels = 1}).values;
  set_image_reader(usual);
  EXPECT_TRUE(seen.equal(at::full({1, 1, 2, 3}, 7, at::kByte)));
}

TEST_F(Load, RefusesArraysThatAreNeither) {
  save_npy(path("x.npy"), at::zeros({5, 6, 2}));
  EXPECT_THAT(refusal("x.npy"),
              HasSubstr("expected a table (n, d) or images (n, channels, height, width) but its "
                        "shape is (5, 6, 2)"));
  save_npy(path("x.npy"), at::zeros({2, 32, 32, 3}));
  EXPECT_THAT(refusal("x.npy"), HasSubstr("(channels last? transpose it)"));
  save_npy(path("x.npy"), at::zeros({2, 3, 4, 4}, at::kLong));
  EXPECT_THAT(refusal("x.npy"), HasSubstr("images of uint8, or floats in [-1, 1]"));
  save_npy(path("x.npy"), at::zeros({0, 2}));
  EXPECT_THAT(refusal("x.npy"), HasSubstr("it is empty, of shape (0, 2)"));
  save_npy(path("x.npy"), at::scalar_tensor(1.0));
  EXPECT_THAT(refusal("x.npy"), HasSubstr("its shape is ()"));
}

TEST_F(Load, RefusesNonFiniteValuesWithTheirRow) {
  // More rows than the check looks at in one go.
  Tensor values = at::zeros({1'500'000, 1});
  values[1'200'000][0] = std::nan("");
  save_npy(path("x.npy"), values);
  EXPECT_THAT(refusal("x.npy"),
              HasSubstr("x.npy: row 1200000 (from 0), element 0: expected a finite number"));
  Tensor images = at::zeros({3, 1, 2, 2});
  images[2][0][1][0] = -INFINITY;
  save_npy(path("x.npy"), images);
  EXPECT_THAT(refusal("x.npy"),
              HasSubstr("row 2 (from 0), element 2: expected a finite number but found -inf"));
}

TEST_F(Load, SaysWhatItAccepts) {
  EXPECT_THAT(refusal("none.csv"), HasSubstr("none.csv: no such file"));
  write("x.xlsx", "");
  EXPECT_THAT(refusal("x.xlsx"), HasSubstr("unknown kind of file: expected .npy, .npz, .csv"));
  save_npy(path("x.npy"), at::zeros({2, 2}));
  EXPECT_THAT(refusal("x.npy", {.columns = {"a"}}, ErrorKind::argument), HasSubstr("in a CSV file only"));
  write("x.csv", "a,b\n1,2\n");
  EXPECT_THAT(refusal("x.csv", {.label_column = "a", .labels_path = path("x.npy")}, ErrorKind::argument),
              HasSubstr("received both"));
}

TEST_F(Load, ReadsLabelsFromAnotherFile) {
  save_npy(path("l.npy"), at::tensor({2, 0}, at::kByte));
  const Dataset data = npy(at::zeros({2, 2}), {.labels_path = path("l.npy")});
  EXPECT_THAT(data.label_names, ElementsAre("0", "2"));
  EXPECT_TRUE(data.labels.equal(at::tensor({1, 0}, at::kLong)));
  write("l-idx1-ubyte", std::string("\0\0\x08\1\0\0\0\2\5\6", 10));
  EXPECT_THAT(npy(at::zeros({2, 2}), {.labels_path = path("l-idx1-ubyte")}).label_names,
              ElementsAre("5", "6"));
  write("l.csv", "kind\nu\nt\n");
  EXPECT_THAT(npy(at::zeros({2, 2}), {.labels_path = path("l.csv")}).label_names, ElementsAre("t", "u"));
  save_npy(path("l.npy"), at::tensor({2, 0, 1}, at::kLong));
  EXPECT_THAT(refusal("x.npy", {.labels_path = path("l.npy")}),
              HasSubstr("l.npy: expected 2 labels, one per row, but found 3"));
  save_npy(path("l.npy"), at::tensor({0.5, 1.0}, at::kDouble));
  EXPECT_THAT(refusal("x.npy", {.labels_path = path("l.npy")}),
              HasSubstr("l.npy: row 0 (from 0): expected labels that are whole numbers but found 0.5"));
  // Ids of any size and sign are classes by their order.
  save_npy(path("l.npy"), at::tensor({int64_t{2'000'000'000}, int64_t{-1}}, at::kLong));
  const Dataset ids = npy(at::zeros({2, 2}), {.labels_path = path("l.npy")});
  EXPECT_THAT(ids.label_names, ElementsAre("-1", "2000000000"));
  EXPECT_TRUE(ids.labels.equal(at::tensor({1, 0}, at::kLong)));
}

/// A zip archive of stored entries.
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string body, directory;
  const auto number = [](uint64_t value, int bytes) {
    return std::string(reinterpret_cast<const char*>(&value), static_cast<size_t>(bytes));
  };
  for (const auto& [name, content] : files) {
    uint32_t crc = 0xffffffff;
    for (const unsigned char c : content) {
      crc ^= c;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    const std::string fields = number(~crc, 4) + number(content.size(), 4) + number(content.size(), 4) +
                               number(name.size(), 2) + number(0, 2);
    directory += std::string("PK\1\2\x14\0\x14\0\0\0\0\0\0\0\0\0", 16) + fields + number(0, 8) +
                 number(0, 2) + number(body.size(), 4) + name;
    body += std::string("PK\3\4\x14\0\0\0\0\0\0\0\0\0", 14) + fields + name + content;
  }
  return body + directory + "PK\5\6" + number(0, 4) + number(files.size(), 2) + number(files.size(), 2) +
         number(directory.size(), 4) + number(body.size(), 4) + number(0, 2);
}

TEST_F(Load, ChoosesTheArrayOfAnArchive) {
  save_npy(path("a.npy"), at::ones({2, 2}));
  save_npy(path("b.npy"), at::tensor({4, 5}, at::kLong));
  const std::string a = read("a.npy"), b = read("b.npy");
  write("one.npz", zip_of({{"anything.npy", a}}));
  EXPECT_EQ(load_data(path("one.npz")).values.sum().item<double>(), 4);
  write("two.npz", zip_of({{"x.npy", a}, {"y.npy", b}}));
  EXPECT_THAT(load_data(path("two.npz")).label_names, ElementsAre("4", "5"));
  write("three.npz", zip_of({{"x_test.npy", a}, {"x_train.npy", a}}));
  EXPECT_THAT(refusal("three.npz"),
              HasSubstr("several arrays, none of which is 'x': choose one of x_test, x_train"));
  EXPECT_EQ(load_data(path("three.npz"), {.array = "x_test"}).size(), 2);
  save_npz(path("four.npz"),
           {{"x", at::ones({2, 3})}, {"labels", at::tensor({1, 0})}, {"z", at::zeros({2})}});
  const Dataset four = load_data(path("four.npz"));
  EXPECT_EQ(four.values.size(1), 3);
  EXPECT_TRUE(four.labels.equal(at::tensor({1, 0}, at::kLong)));
  EXPECT_THAT(refusal("three.npz", {.array = "z"}),
              HasSubstr("no array 'z': expected one of x_test, x_train"));
}

}  // namespace
}  // namespace fokker
