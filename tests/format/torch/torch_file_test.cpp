#include "fokker/format/torch/torch_file.h"

#include <gmock/gmock.h>

#include "data/damage.h"
#include "format/torch/torch_files.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor counted(at::IntArrayRef shape, at::ScalarType type = at::kFloat) {
  return at::arange(c10::multiply_integers(shape), at::kLong).reshape(shape).to(type);
}

Tensor tensor_of(const std::vector<NamedTensor>& tensors, const std::string& name) {
  for (const NamedTensor& tensor : tensors)
    if (tensor.name == name) return tensor.tensor;
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

void expect_same(const Tensor& tensor, const Tensor& expected) {
  EXPECT_EQ(tensor.scalar_type(), expected.scalar_type());
  EXPECT_TRUE(tensor.equal(expected));
}

class TorchFiles : public FolderTest {
 protected:
  std::string refusal_of_fixture(const std::string& name, const std::string& key = "") {
    return error_of([&] { load_torch(torch_fixture(name), key); });
  }
};

TEST_F(TorchFiles, HaveEveryTypeAndView) {
  for (const char* file : {"types.pt", "protocol4.pt", "deflated.pt"}) {
    const auto tensors = load_torch(torch_fixture(file));
    ASSERT_EQ(tensors.size(), 16u) << file;
    EXPECT_EQ(tensors[0].name, "float64");
    const std::pair<const char*, at::ScalarType> types[] = {
        {"float64", at::kDouble},    {"float32", at::kFloat}, {"float16", at::kHalf},
        {"bfloat16", at::kBFloat16}, {"int64", at::kLong},    {"int32", at::kInt},
        {"int16", at::kShort},       {"int8", at::kChar},     {"uint8", at::kByte},
        {"bool", at::kBool}};
    for (const auto& [name, type] : types) expect_same(tensor_of(tensors, name), counted({2, 3}, type));
    expect_same(tensor_of(tensors, "base"), counted({4, 6}));
    expect_same(tensor_of(tensors, "transposed"), counted({4, 6}).t());
    expect_same(tensor_of(tensors, "part"), counted({4, 6}).slice(0, 1, 3).slice(1, 2, 5));
    expect_same(tensor_of(tensors, "parameter"), counted({3}));
    expect_same(tensor_of(tensors, "scalar"), at::scalar_tensor(2.5));
    expect_same(tensor_of(tensors, "nothing"), at::zeros({0, 4}));
    // What shares a storage there shares it here.
    EXPECT_EQ(tensor_of(tensors, "base").storage().data(), tensor_of(tensors, "part").storage().data());
  }
}

TEST_F(TorchFiles, OfBigEndianMachinesAreTurned) {
  expect_same(tensor_of(load_torch(torch_fixture("big_endian.pt")), "a"), counted({2, 3}, at::kInt));
}

TEST_F(TorchFiles, OfOneTensorHaveNoName) {
  const auto tensors = load_torch(torch_fixture("tensor.pt"));
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].name, "");
  expect_same(tensors[0].tensor, counted({5, 2}, at::kDouble));
}

TEST_F(TorchFiles, NestedOnesNeedAKey) {
  const TorchFile file(torch_fixture("checkpoint.pt"));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.read("model.state_dict")) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("0.weight", "0.bias", "2.weight", "2.bias"));
  EXPECT_EQ(file.read("ema")[2].name, "2");
  EXPECT_TRUE(file.read("ema")[2].tensor.equal(file.read("model.state_dict")[2].tensor));
  EXPECT_EQ(file.read("model.state_dict.0.bias")[0].tensor.size(0), 3);
  EXPECT_THAT(refusal_of_fixture("checkpoint.pt"),
              HasSubstr("choose one by its key, of: model, ema, optimizer"));
  EXPECT_THAT(refusal_of_fixture("checkpoint.pt", "model"), HasSubstr("of: model.state_dict"));
  EXPECT_THAT(refusal_of_fixture("checkpoint.pt", "modal"),
              HasSubstr("no key 'modal'; at the top are: epoch, loss, name, model, ema, optimizer"));
  EXPECT_THAT(refusal_of_fixture("checkpoint.pt", "epoch"), HasSubstr("it holds no tensors there"));
  const auto entries = file.list();
  ASSERT_EQ(entries.size(), 4u + 4 + 3 * 4);
  EXPECT_EQ(entries[0].name, "model.state_dict.0.weight");
  EXPECT_THAT(entries[0].shape, ElementsAre(3, 2));
}

TEST_F(TorchFiles, OfOtherKindsAreRefusedByName) {
  EXPECT_THAT(refusal_of_fixture("legacy.pt"), HasSubstr("PyTorch's format from before 1.6"));
  EXPECT_THAT(refusal_of_fixture("plain.pkl"), HasSubstr("a plain pickle, which may run any program"));
  EXPECT_THAT(refusal_of_fixture("script.pt"), HasSubstr("a TorchScript program"));
  EXPECT_THAT(refusal_of_fixture("program.pt"), HasSubstr("it asks for __builtin__.print"));
  EXPECT_THAT(error_of([&] { load_torch(write("x.pt", "some text")); }), HasSubstr("expected a zip archive"));
  EXPECT_THAT(error_of([&] { load_torch(write("x.pt", "")); }), HasSubstr("expected a zip archive"));
}

/// tensor.pt with one run of bytes of its pickle replaced by another as long, and the checksum of what came
/// of it.
class DamagedTorchFile : public TorchFiles {
 protected:
  std::string refusal_with(std::string from, std::string to) {
    std::ifstream in(torch_fixture("tensor.pt"), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const size_t at = bytes.find(from);
    EXPECT_NE(at, std::string::npos);
    bytes.replace(at, from.size(), to);
    const size_t start = bytes.find("\x80\x02"), size = bytes.find("PK\x07\x08", start);
    mend_checksum(bytes, bytes.substr(start, size == std::string::npos ? 0 : size - start));
    return error_of([&] { load_torch(write("damaged.pt", bytes)); });
  }
  static uint32_t checksum(std::string_view text) {
    uint32_t crc = ~0u;
    for (const char c : text) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    return ~crc;
  }
  /// In the central directory, whose first entry is data.pkl.
  static void mend_checksum(std::string& bytes, const std::string& pickle) {
    const uint32_t crc = checksum(pickle);
    std::memcpy(bytes.data() + bytes.find("PK\x01\x02") + 16, &crc, sizeof crc);
  }
};

TEST_F(DamagedTorchFile, IsHeldAgainstItsStorage) {
  // (storage, 0, (5, 2), (2, 1)): K 0 0, K 5 K 2 0x86, K 2 K 1 0x86.
  const std::string sizes = "K\x05K\x02\x86", strides = "K\x02K\x01\x86";
  EXPECT_THAT(refusal_with(sizes, "K\x06K\x02\x86"),
              HasSubstr("shape (6, 2) needs 96 bytes but its storage has 80"));
  EXPECT_THAT(refusal_with(strides, "K\x03K\x01\x86"), HasSubstr("its view reaches beyond its storage"));
  EXPECT_THAT(refusal_with(strides, "K\x02NN\x86"), HasSubstr("strides: expected a tuple"));
  EXPECT_THAT(refusal_with("_rebuild_tensor_v2", "_rebuild_tensor_v3"), HasSubstr("_rebuild_tensor_v3"));
  EXPECT_THAT(refusal_with("K\nt", "K\x0bt"), HasSubstr("needs 88 bytes but the archive has 80"));
}

TEST_F(TorchFiles, SurviveDamage) {
  std::ifstream in(torch_fixture("tensor.pt"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto use = [&](const std::string& damaged) { load_torch(write("damaged.pt", damaged)); };
  int refused = 0;
  for (size_t i = 0; i < bytes.size(); i += 7) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
    try {
      use(damaged);
    } catch (const Error&) {
      ++refused;
    }
    EXPECT_THROW(use(bytes.substr(0, i)), Error) << i;
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace fokker
