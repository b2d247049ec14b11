#include "data/damage.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/safetensors/shards.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

class SafetensorsRules : public FolderTest {
 protected:
  std::string refusal(const std::string& header, const std::string& data = "") {
    const auto file = write("made.safetensors", file_of(header, data));
    const std::string mapped = error_of([&] { map_safetensors(file); });
    EXPECT_EQ(error_of([&] { load_safetensors(file); }), mapped);
    return mapped;
  }
};

// A name that occurs twice would be kept once, silently, by the JSON library: at every depth.
TEST_F(SafetensorsRules, RefusesDuplicatesInsideEntriesAndMetadata) {
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "x"),
              HasSubstr("two members are named 'dtype'"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"k":"1","k":"2"}})"), HasSubstr("two members are named 'k'"));
  EXPECT_THAT(refusal(R"({"__metadata__":{},"__metadata__":{}})"),
              HasSubstr("two members are named '__metadata__'"));
  // The same name in two entries is none.
  write("x", file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                         "b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                     "xy"));
  EXPECT_EQ(load_safetensors(path("x")).tensors.size(), 2u);
}

TEST_F(SafetensorsRules, RefusesTypesThatTensorsLackByName) {
  for (const char* type : {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "U16", "U32", "U64", "C64"})
    EXPECT_THAT(
        refusal(fmt::format(R"({{"a":{{"dtype":"{}","shape":[1],"data_offsets":[0,1]}}}})", type), "x"),
        HasSubstr(fmt::format("its numbers are {}, which tensors here do not have", type)));
}

TEST_F(SafetensorsRules, RefusesAHeaderThatIsNoObjectFromItsFirstByte) {
  EXPECT_THAT(refusal(" {}"), HasSubstr("begins with {"));
  EXPECT_THAT(refusal(""), HasSubstr("begins with {"));
  EXPECT_THAT(refusal("{\"\xff\": 1}"), HasSubstr("not valid JSON"));
  EXPECT_TRUE(load_safetensors(write("padded", file_of("{}      ", ""))).tensors.empty());
}

TEST_F(SafetensorsRules, BoundsNamesRankAndCount) {
  const auto entry = [](const std::string& name, const std::string& shape) {
    return fmt::format(R"("{}":{{"dtype":"U8","shape":{},"data_offsets":[0,0]}})", name, shape);
  };
  EXPECT_THAT(refusal("{" + entry(std::string(4097, 'n'), "[0]") + "}"),
              HasSubstr("names of at most 4096 bytes"));
  std::string shape = "[0";
  for (int i = 0; i < 32; ++i) shape += ",1";
  EXPECT_THAT(refusal("{" + entry("a", shape + "]") + "}"), HasSubstr("lists of at most 32 items"));
  EXPECT_THAT(refusal("{" + entry("a", "[[1]]") + "}"), HasSubstr("nested too deep"));
  std::string many = "{\"__metadata__\":{}";
  many.reserve(4'000'000);
  for (int i = 0; i <= 262'144; ++i) many += fmt::format(",\"{}\":0", i);
  EXPECT_THAT(refusal(many + "}"), HasSubstr("objects of at most 262145 members"));
}

TEST_F(SafetensorsRules, MapsTheSameNumbersAndLeavesTheFileAlone) {
  save_safetensors(path("x.safetensors"), {{"a", at::arange(5, at::kDouble)},
                                           {"b", at::arange(3, at::kByte)},
                                           {"c", at::arange(4, at::kHalf).reshape({2, 2})},
                                           {"none", at::zeros({0, 3})}});
  const std::string bytes = read("x.safetensors");
  {
    const SafetensorsFile read = load_safetensors(path("x.safetensors")),
                          mapped = map_safetensors(path("x.safetensors"));
    ASSERT_EQ(mapped.tensors.size(), read.tensors.size());
    for (size_t i = 0; i < read.tensors.size(); ++i) {
      EXPECT_EQ(mapped.tensors[i].name, read.tensors[i].name);
      EXPECT_EQ(mapped.tensors[i].tensor.sizes(), read.tensors[i].tensor.sizes());
      EXPECT_TRUE(mapped.tensors[i].tensor.equal(read.tensors[i].tensor)) << read.tensors[i].name;
    }
    mapped.tensors[0].tensor.fill_(7);  // a page of its own
    EXPECT_EQ(mapped.tensors[0].tensor.sum().item<double>(), 35);
  }
  EXPECT_EQ(read("x.safetensors"), bytes);
}

// Other writers need not align: after a header of odd length numbers lie anywhere.
TEST_F(SafetensorsRules, MapsNumbersThatAreNotAligned) {
  const double number = 2.5;
  write("x", file_of(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                         "a":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}} )",
                     "x" + std::string(reinterpret_cast<const char*>(&number), 8)));
  const SafetensorsFile file = map_safetensors(path("x"));
  EXPECT_EQ(file.tensors[1].name, "a");
  EXPECT_EQ(file.tensors[1].tensor.item<double>(), 2.5);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.tensors[1].tensor.data_ptr()) % 8, 0u);
}

class SafetensorsShards : public FolderTest {
 protected:
  void SetUp() override {
    save_safetensors(path("m-1.safetensors"), {{"a", at::ones({2})}});
    save_safetensors(path("m-2.safetensors"), {{"b", at::zeros({3})}, {"c", at::full({1}, 4.0)}});
  }
  SafetensorsFile indexed(const std::string& weight_map) {
    return map_safetensors_shards(write(
        "m.safetensors.index.json", R"({"metadata": {"total_size": 24}, "weight_map": )" + weight_map + "}"));
  }
  std::string refusal(const std::string& weight_map) {
    return error_of([&] { indexed(weight_map); });
  }
};

TEST_F(SafetensorsShards, AreOneModel) {
  const SafetensorsFile whole =
      indexed(R"({"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-2.safetensors"})");
  ASSERT_EQ(whole.tensors.size(), 3u);
  EXPECT_EQ(whole.tensors[0].name, "a");
  EXPECT_EQ(map_weights(path(""), "m").tensors.size(), 3u);
  EXPECT_TRUE(is_safetensors_index(path("m.safetensors.index.json")));
}

TEST_F(SafetensorsShards, HoldWhatTheIndexSays) {
  EXPECT_THAT(refusal(R"({"a": "m-1.safetensors", "b": "m-2.safetensors"})"),
              HasSubstr("tensor 'c': m.safetensors.index.json does not say that it is here"));
  EXPECT_THAT(refusal(R"({"a": "m-1.safetensors", "d": "m-1.safetensors"})"),
              HasSubstr("expected the tensor 'd'"));
  EXPECT_THAT(refusal(R"({"a": "m-3.safetensors"})"), HasSubstr("m-3.safetensors: no such file"));
  EXPECT_THAT(refusal(R"({"a": "m-1.safetensors", "a": "m-2.safetensors"})"),
              HasSubstr("two members are named 'a'"));
  EXPECT_THAT(refusal("[]"), HasSubstr("a weight_map of tensors to files"));
}

TEST_F(SafetensorsShards, StayInTheirFolder) {
  save_safetensors(path("in/x.safetensors"), {{"a", at::ones({2})}});
  for (const char* name : {"../m-1.safetensors", "in/x.safetensors", "/etc/passwd", ".safetensors",
                           "..\\\\m.safetensors", "", "m-1.safetensors\\u0000.safetensors", "index.json"})
    EXPECT_THAT(refusal(fmt::format(R"({{"a": "{}"}})", name)),
                HasSubstr("names of .safetensors files beside it"))
        << name;
}

}  // namespace
}  // namespace fokker
