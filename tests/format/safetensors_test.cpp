#include "fokker/format/safetensors.h"

#include <sys/resource.h>

#include <csignal>

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

class Safetensors : public FolderTest {
 protected:
  std::filesystem::path made(const std::string& header, const std::string& data) {
    const uint64_t length = header.size();
    return write("made.safetensors", std::string(reinterpret_cast<const char*>(&length), 8) + header + data);
  }
  std::string refusal(const std::string& header, const std::string& data = "") {
    const auto file = made(header, data);
    return error_of([&] { load_safetensors(file); });
  }
};

TEST_F(Safetensors, RoundTripsEveryTypeExactly) {
  std::vector<NamedTensor> tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                          at::kChar, at::kByte, at::kBool})
    tensors.push_back(
        {std::string("layer.") + at::toString(type), at::arange(6, at::kDouble).reshape({2, 3}).to(type)});
  tensors.push_back({"scalar", at::scalar_tensor(2.5)});
  tensors.push_back({"none", at::zeros({0, 4})});
  tensors.push_back({"transposed", at::arange(6, at::kFloat).reshape({2, 3}).t()});
  tensors.push_back({"a \"name\" \xc3\xa9", at::ones({1})});
  save_safetensors(path("x.safetensors"), tensors, {{"format", "pt"}, {"note", "two\nlines"}});
  const SafetensorsFile file = load_safetensors(path("x.safetensors"));
  EXPECT_EQ(file.metadata.at("format"), "pt");
  EXPECT_EQ(file.metadata.at("note"), "two\nlines");
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (const NamedTensor& wanted : tensors) {
    const auto found = std::find_if(file.tensors.begin(), file.tensors.end(),
                                    [&](const NamedTensor& t) { return t.name == wanted.name; });
    ASSERT_NE(found, file.tensors.end()) << wanted.name;
    EXPECT_EQ(found->tensor.scalar_type(), wanted.tensor.scalar_type());
    EXPECT_EQ(found->tensor.sizes(), wanted.tensor.sizes());
    EXPECT_TRUE(found->tensor.equal(wanted.tensor)) << wanted.name;
  }
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(Safetensors, WritesThePublishedLayout) {
  save_safetensors(path("x.safetensors"), {{"b", at::tensor({7}, at::kByte)}, {"a", at::ones({1, 2})}});
  const std::string bytes = read("x.safetensors");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ((8 + length) % 8, 0u);
  EXPECT_EQ(nlohmann::json::parse(bytes.substr(8, length)), nlohmann::json::parse(R"({
    "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
    "b": {"dtype": "U8", "shape": [1], "data_offsets": [8, 9]}})"));
  EXPECT_EQ(bytes.substr(8 + length), from_hex("0000803f0000803f07"));
  // The same tensors in another order make the same file.
  save_safetensors(path("y.safetensors"), {{"a", at::ones({1, 2})}, {"b", at::tensor({7}, at::kByte)}});
  EXPECT_EQ(read("y.safetensors"), bytes);
}

// The header that safetensors 0.8.0 writes for these tensors: types by width and then by kind, names by their
// bytes, the metadata first, no spaces but to a multiple of 8 bytes.
TEST_F(Safetensors, WritesTheHeaderOfTheFormatsOwnWriter) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, type] : std::vector<std::pair<const char*, at::ScalarType>>{{"bool", at::kBool},
                                                                                      {"bf16", at::kBFloat16},
                                                                                      {"f64", at::kDouble},
                                                                                      {"i16", at::kShort},
                                                                                      {"u8", at::kByte},
                                                                                      {"i64", at::kLong},
                                                                                      {"i32", at::kInt},
                                                                                      {"f16", at::kHalf},
                                                                                      {"f32.b", at::kFloat},
                                                                                      {"i8", at::kChar},
                                                                                      {"f32.Z", at::kFloat}})
    tensors.push_back({name, at::ones({1}, type)});
  tensors.push_back({"f32.\"\x01\n\xc3\xa9", at::zeros({0, 2})});
  save_safetensors(path("x.safetensors"), tensors, {{"format", "pt"}});
  const std::string bytes = read("x.safetensors");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  std::string expected = R"({"__metadata__":{"format":"pt"})";
  size_t offset = 0;
  for (const auto& [name, type, shape, size] :
       std::vector<std::tuple<const char*, const char*, const char*, size_t>>{
           {"i64", "I64", "[1]", 8},
           {"f64", "F64", "[1]", 8},
           {R"(f32.\"\u0001\n\u00e9)", "F32", "[0,2]", 0},
           {"f32.Z", "F32", "[1]", 4},
           {"f32.b", "F32", "[1]", 4},
           {"i32", "I32", "[1]", 4},
           {"bf16", "BF16", "[1]", 2},
           {"f16", "F16", "[1]", 2},
           {"i16", "I16", "[1]", 2},
           {"i8", "I8", "[1]", 1},
           {"u8", "U8", "[1]", 1},
           {"bool", "BOOL", "[1]", 1}}) {
    std::string written = name;
    if (const size_t at = written.find("\\u00e9"); at != std::string::npos)
      written.replace(at, 6, "\xc3\xa9");
    expected += fmt::format(R"(,"{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", written, type,
                            shape, offset, offset + size);
    offset += size;
  }
  expected += '}';
  expected.append((8 - expected.size() % 8) % 8, ' ');
  EXPECT_EQ(bytes.substr(8, length), expected);
}

TEST_F(Safetensors, ReadsAFileOfNoTensors) {
  EXPECT_TRUE(load_safetensors(made("{}", "")).tensors.empty());
  save_safetensors(path("x.safetensors"), {});
  EXPECT_TRUE(load_safetensors(path("x.safetensors")).tensors.empty());
}

TEST_F(Safetensors, RefusesHeaders) {
  const std::string four(4, '\0');
  EXPECT_THAT(error_of([&] { load_safetensors(write("x", "\xff\xff\xff\xff\xff\xff\xff\x7f{}")); }),
              HasSubstr("it claims a header of 9223372036854775807 bytes (8.0 EiB) but 2 bytes follow"));
  EXPECT_THAT(error_of([&] { load_safetensors(write("x", "abc")); }),
              HasSubstr("truncated: expected 8 bytes"));
  EXPECT_THAT(refusal("{\"a\": "), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(refusal(R"({"a":)" + std::string(100'000, '[')), HasSubstr("nested too deep"));
  EXPECT_THAT(refusal(R"({"a": 3})"), HasSubstr("tensor 'a': expected dtype, shape and data_offsets"));
  EXPECT_THAT(refusal(R"({"a": {"dtype": "F8", "shape": [1], "data_offsets": [0, 1]}})"),
              HasSubstr("but found \"F8\""));
  EXPECT_THAT(refusal(R"({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})", four),
              HasSubstr("shape: expected whole numbers of at least 0"));
  EXPECT_THAT(refusal(R"({"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}})", four),
              HasSubstr("whole numbers"));
  EXPECT_THAT(refusal(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}})", four),
              HasSubstr("data_offsets: expected two numbers"));
  EXPECT_THAT(refusal(R"({"__metadata__": {"a": 1}})"), HasSubstr("__metadata__: 'a': expected a string"));
  EXPECT_THAT(refusal(R"({"__metadata__": []})"), HasSubstr("an object of strings"));
}

TEST_F(Safetensors, RefusesRangesThatDoNotFit) {
  const std::string eight(8, '\0');
  const auto one = [](const char* shape, const char* offsets) {
    return fmt::format(R"({{"a": {{"dtype": "F32", "shape": {}, "data_offsets": {}}}}})", shape, offsets);
  };
  EXPECT_THAT(refusal(one("[1]", "[0, 8]"), eight),
              HasSubstr("shape (1) needs 4 bytes but data_offsets hold 8"));
  EXPECT_THAT(refusal(one("[3]", "[0, 12]"), eight),
              HasSubstr("inside the 8 bytes of data but found 0 to 12"));
  EXPECT_THAT(refusal(one("[1]", "[8, 4]"), eight), HasSubstr("found 8 to 4"));
  EXPECT_THAT(refusal(one("[1]", "[4, 8]"), eight), HasSubstr("leave a gap"));
  EXPECT_THAT(refusal(one("[1]", "[0, 4]"), eight),
              HasSubstr("describes 4 bytes of data but 8 bytes follow"));
  EXPECT_THAT(refusal(one("[4294967296, 4294967296]", "[0, 0]"), eight), HasSubstr("too large for any file"));
  EXPECT_THAT(refusal(one("[18446744073709551615]", "[0, 4]"), eight), HasSubstr("is too large"));
  const std::string pair = R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                               "b": {"dtype": "U8", "shape": [6], "data_offsets": [2, 8]}})";
  EXPECT_THAT(refusal(pair, eight), HasSubstr("tensor 'b': its bytes overlap those before it"));
  const std::string twice = R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                                "a": {"dtype": "U8", "shape": [4], "data_offsets": [4, 8]}})";
  EXPECT_THAT(refusal(twice, eight), HasSubstr("two members are named 'a'"));
}

TEST_F(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const auto refused = [&](const std::vector<NamedTensor>& tensors) {
    return error_of([&] { save_safetensors(path("x"), tensors); }, ErrorKind::argument);
  };
  EXPECT_THAT(refused({{"a", at::ones({1})}, {"a", at::ones({2})}}), HasSubstr("received 'a' twice"));
  EXPECT_THAT(refused({{"__metadata__", at::ones({1})}}), HasSubstr("reserved"));
  EXPECT_THAT(refused({{"a", at::ones({1}, at::kComplexFloat)}}), HasSubstr("has no name in safetensors"));
  EXPECT_THAT(refused({{"a", Tensor()}}), HasSubstr("'a' is an undefined tensor"));
  EXPECT_THAT(refused({{"\xff", at::ones({1})}}), HasSubstr("UTF-8"));
  EXPECT_EQ(file_count(), 0u);
}

TEST_F(Safetensors, SurvivesDamage) {
  save_safetensors(path("x"), {{"a", at::ones({2})}, {"b", at::ones({1}, at::kBool)}}, {{"k", "v"}});
  const std::string bytes = read("x");
  const int refused =
      survive_damage(bytes, [&](const std::string& damaged) { load_safetensors(write("y", damaged)); });
  EXPECT_GT(refused, 250);
}

TEST_F(Safetensors, AFullDiskIsAResourceErrorAndKeepsTheOldFile) {
  save_safetensors(path("x"), {{"a", at::ones({2})}});
  const std::string before = read("x");
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{4096, limit.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = error_of(
      [&] {
        save_safetensors(path("x"), {{"a", at::ones({100000})}});
      },
      ErrorKind::resource);
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_THAT(message, HasSubstr("cannot be written"));
  EXPECT_EQ(read("x"), before);
  EXPECT_EQ(file_count(), 1u);
}

}  // namespace
}  // namespace fokker
