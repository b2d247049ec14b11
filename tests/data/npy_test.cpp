#include "fokker/data/array/npy.h"

#include <sys/resource.h>

#include <csignal>

#include "data/damage.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

class Npy : public FolderTest {
 protected:
  /// An NPY file with any dictionary and any data.
  std::filesystem::path npy(const std::string& dictionary, const std::string& data, int version = 1) {
    std::string bytes = "\x93NUMPY";
    bytes += {static_cast<char>(version), 0};
    const auto length = static_cast<uint32_t>(dictionary.size());
    bytes.append(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
    return write("made.npy", bytes + dictionary + data);
  }
  std::string refusal(const std::string& dictionary, const std::string& data = "", int version = 1) {
    const auto file = npy(dictionary, data, version);
    return error_of([&] { load_npy(file); });
  }
};

TEST_F(Npy, RoundTripsEveryTypeExactly) {
  for (const auto type : {at::kHalf, at::kFloat, at::kDouble, at::kChar, at::kShort, at::kInt, at::kLong,
                          at::kByte, at::kBool}) {
    const Tensor values = at::tensor({0.0, 1.0, 3.0, 100.0, 0.1, 7.0}, at::kDouble).reshape({2, 3}).to(type);
    save_npy(path("x.npy"), values);
    const Tensor back = load_npy(path("x.npy"));
    EXPECT_EQ(back.scalar_type(), type);
    EXPECT_TRUE(back.equal(values)) << at::toString(type);
  }
  EXPECT_EQ(file_count(), 1u) << "a temporary file was left behind";
}

TEST_F(Npy, RoundTripsShapesWithoutElementsAndWithoutDimensions) {
  for (const Tensor& values :
       {at::zeros({0, 3}), at::scalar_tensor(2.5), at::ones({4}), at::rand({2, 1, 3, 1, 2}),
        at::rand({4, 6}).t(), at::rand({6}).slice(0, 0, 6, 2)}) {
    save_npy(path("x.npy"), values);
    EXPECT_TRUE(load_npy(path("x.npy")).equal(values)) << shape_string(values);
    EXPECT_EQ(load_npy(path("x.npy")).sizes(), values.sizes());
  }
}

TEST_F(Npy, WritesTheBytesThatNumpyWrites) {
  save_npy(path("x.npy"), at::tensor({0.0f, 1.0f, 2.0f}, at::kFloat));
  std::string expected("\x93NUMPY\x01\0v\0", 10);
  expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  expected.resize(127, ' ');
  EXPECT_EQ(read("x.npy"), expected + "\n" + from_hex("000000000000803f00000040"));
  save_npy(path("x.npy"), at::scalar_tensor(2.5, at::kDouble));
  EXPECT_THAT(read("x.npy"), HasSubstr("{'descr': '<f8', 'fortran_order': False, 'shape': (), }  "));
  save_npy(path("x.npy"), at::zeros({2, 3}, at::kBool));
  EXPECT_THAT(read("x.npy"), HasSubstr("{'descr': '|b1', 'fortran_order': False, 'shape': (2, 3), }  "));
}

// The data of the next three is what NumPy wrote.
TEST_F(Npy, ReadsFortranOrder) {
  const auto file = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
                        from_hex("00000000000040400000803f00008040000000400000a040"));
  EXPECT_TRUE(load_npy(file).equal(at::arange(6, at::kFloat).reshape({2, 3})));
}

TEST_F(Npy, ReadsBigEndianAndUnsigned) {
  EXPECT_TRUE(load_npy(npy("{'descr': '>i4', 'fortran_order': False, 'shape': (3,), }",
                           from_hex("00000000000003e8000007d0")))
                  .equal(at::tensor({0, 1000, 2000}, at::kInt)));
  const Tensor narrow =
      load_npy(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }", from_hex("feffffff"), 2));
  EXPECT_TRUE(narrow.equal(at::tensor({65534, 65535}, at::kInt)));
  const Tensor wide =
      load_npy(npy("{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", from_hex("ffffffff"), 3));
  EXPECT_EQ(wide.item<int64_t>(), 4294967295);
  EXPECT_THAT(
      refusal("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", from_hex("ffffffffffffffff")),
      HasSubstr("a uint64 value exceeds 2^63 - 1"));
}

TEST_F(Npy, ReadsHeadersInOtherSpellings) {
  EXPECT_EQ(load_npy(npy(R"({"shape":(2L,),"fortran_order":False,"descr":"|u1"})", "ab"))[1].item<int>(),
            'b');
  // Any nonzero byte of a bool is true.
  EXPECT_TRUE(
      load_npy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", std::string("\0\1\2", 3)))
          .equal(at::tensor({0, 1, 1}, at::kInt).to(at::kBool)));
}

TEST_F(Npy, RefusesMoreThanTheFileHolds) {
  const std::string message =
      refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (8589934592,), }", std::string(128, 'x'));
  EXPECT_THAT(message, HasSubstr("made.npy: truncated: its header claims 34359738368 bytes (32.0 GiB)"));
  EXPECT_THAT(message, HasSubstr("only 128 bytes follow"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 9223372036854775807), }"),
              HasSubstr("too large for any file"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 4), }"),
              HasSubstr("too large for any file"));
  EXPECT_THAT(refusal("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", "ab"),
              HasSubstr("expected the file to end at byte"));
}

TEST_F(Npy, RefusesHeadersByName) {
  EXPECT_THAT(refusal("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("Python objects"));
  EXPECT_THAT(refusal("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("its dtype is '<c8'"));
  EXPECT_THAT(refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("structured arrays"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'shape': (1,), }"), HasSubstr("expected the key 'fortran_order'"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'descr': '<f4'}"), HasSubstr("one each of the keys"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"),
              HasSubstr("a size between 0"));
  EXPECT_THAT(refusal("{'descr': 3}"), HasSubstr("byte 20: damaged NPY header: expected a quoted string"));
  EXPECT_THAT(refusal("{}", "", 4), HasSubstr("byte 6: expected NPY version 1, 2 or 3 but found 4"));
  EXPECT_THAT(error_of([&] { load_npy(write("x.npy", "PK\3\4 not an array")); }),
              HasSubstr("expected an NPY file"));
  EXPECT_THAT(error_of([&] { load_npy(path("none.npy")); }), HasSubstr("none.npy: no such file"));
  EXPECT_THAT(error_of([&] { load_npy(folder_); }), HasSubstr("expected a file but it is a folder"));
  EXPECT_THAT(
      error_of([&] { save_npy(path("x.npy"), at::zeros({1}, at::kComplexFloat)); }, ErrorKind::argument),
      HasSubstr("expected a type that NPY has"));
}

TEST_F(Npy, SurvivesDamage) {
  save_npy(path("x.npy"), at::arange(3, at::kFloat));
  const int refused =
      survive_damage(read("x.npy"), [&](const std::string& bytes) { load_npy(write("y.npy", bytes)); });
  EXPECT_GT(refused, 100);
}

TEST_F(Npy, AFullDiskIsAResourceErrorAndLeavesNothing) {
  save_npy(path("x.npy"), at::ones({2}));
  const std::string before = read("x.npy");
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{4096, limit.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message = error_of([&] { save_npy(path("x.npy"), at::ones({100000})); }, ErrorKind::resource);
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_THAT(message, HasSubstr("x.npy: cannot be written"));
  EXPECT_EQ(read("x.npy"), before);
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(Npy, WriterAppendsRows) {
  const Tensor values = at::arange(24, at::kFloat).reshape({4, 3, 2});
  {
    NpyWriter writer(path("x.npy"), values.sizes());
    writer.append(values.slice(0, 0, 1));
    writer.append(values.slice(0, 1, 4).to(at::kDouble));
    EXPECT_FALSE(std::filesystem::exists(path("x.npy"))) << "visible before it is whole";
    EXPECT_THAT(error_of([&] { writer.append(values.slice(0, 0, 1)); }, ErrorKind::argument),
                HasSubstr("expected 4 rows in all but received 5"));
    writer.finish();
  }
  EXPECT_TRUE(load_npy(path("x.npy")).equal(values));
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(Npy, WriterTakesBlocksInAnyOrder) {
  const Tensor values = at::arange(30, at::kDouble).reshape({3, 5, 2});
  NpyWriter writer(path("x.npy"), values.sizes(), at::kDouble);
  for (const auto& [first, last] : {std::pair(2, 5), std::pair(0, 2)})  // samples outside, times inside
    for (int64_t time = 2; time >= 0; --time)
      writer.write_block(time, first, values[time].slice(0, first, last));
  writer.finish();
  EXPECT_TRUE(load_npy(path("x.npy")).equal(values));
}

TEST_F(Npy, WriterRefusesAndCleansUp) {
  {
    NpyWriter writer(path("x.npy"), {2, 3});
    writer.append(at::ones({1, 3}));
    EXPECT_THAT(error_of(
                    [&] {
                      writer.append(at::ones({1, 2}));
                    },
                    ErrorKind::argument),
                HasSubstr("expected rows of shape (3) but received (1, 2)"));
    EXPECT_THAT(error_of([&] { writer.write_block(0, 2, at::ones({2})); }, ErrorKind::argument),
                HasSubstr("row 0, columns 2 to 4"));
    EXPECT_THAT(error_of([&] { writer.finish(); }, ErrorKind::argument),
                HasSubstr("expected 6 values but 3"));
  }
  EXPECT_EQ(file_count(), 0u);
}

// Archives as numpy.savez and numpy.savez_compressed wrote them.
const char* const stored_npz =
    "504b0304140000000000000021006202655f820000008200000005001400612e6e70790100100082000000000000008200000000"
    "000000"
    "934e554d5059010076007b276465736372273a20277c7531272c2027666f727472616e5f6f72646572273a2046616c73652c2027"
    "7368"
    "617065273a2028322c292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020"
    "202020202020202020202020202020202020200a0102504b030414000000000000002100daf509668800000088000000050014"
    "00622e6e70790100100088000000000000008800000000000000934e554d5059010076007b276465736372273a20273c663827"
    "2c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028312c2031292c207d2020202020202020"
    "20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200a"
    "000000000000e03f504b01021403140000000000000021006202655f8200000082000000050000000000000000000000800100"
    "000000612e6e7079504b0102140314000000000000002100daf509668800000088000000050000000000000000000000800"
    "1b9000000622e6e7079504b0506000000000200020066000000780100000000";
const char* const deflated_npz =
    "504b03041400000008000000210030c9f2d84c0000002001000005001400612e6e70790100100020010000000000004c00000000"
    "0000"
    "009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54529498179f5f94920a12774bcc294e058a1767"
    "2416"
    "a402f91a26063a9a3a0ab50ae4032e068603f683190300504b010214031400000008000000210030c9f2d84c000000200100"
    "00050000000000000000000000800100000000612e6e7079504b0506000000000100010033000000830000000000";

TEST_F(Npy, ReadsNpzStoredAndDeflated) {
  const auto stored = load_npz(write("s.npz", from_hex(stored_npz)));
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_TRUE(stored.at("a").equal(at::tensor({1, 2}, at::kByte)));
  EXPECT_TRUE(stored.at("b").equal(at::full({1, 1}, 0.5, at::kDouble)));
  const auto deflated = load_npz(write("d.npz", from_hex(deflated_npz)));
  ASSERT_EQ(deflated.size(), 1u);
  EXPECT_TRUE(deflated.at("a").equal(at::full({40}, 1.5, at::kFloat)));
}

// Arrays [1.5] and [2.5] as Python's zipfile writes them with extra fields, in both places of each entry.
TEST_F(Npy, ReadsNpzWithExtraFields) {
  const char* const extra =
      "504b030414000000000000002150b35d021f880000008800000005000600612e6e7079feca02006869934e554d505901"
      "0076007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861"
      "7065273a2028312c292c207d202020202020202020202020202020202020202020202020202020202020202020202020"
      "2020202020202020202020202020202020202020202020200a000000000000f83f504b030414000000000000002150af"
      "9fb167880000008800000005000600622e6e7079feca02006869934e554d5059010076007b276465736372273a20273c"
      "6638272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028312c292c207d202020"
      "202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
      "2020202020202020200a0000000000000440504b0102140314000000000000002150b35d021f88000000880000000500"
      "06000000000000000000800100000000612e6e7079feca02006869504b0102140314000000000000002150af9fb16788"
      "000000880000000500060000000000000000008001b1000000622e6e7079feca02006869504b05060000000002000200"
      "72000000620100000000";
  const auto arrays = load_npz(write("e.npz", from_hex(extra)));
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays.at("a").item<double>(), 1.5);
  EXPECT_EQ(arrays.at("b").item<double>(), 2.5);
}

TEST_F(Npy, NpzSurvivesDamage) {
  for (const char* hex : {stored_npz, deflated_npz}) {
    const int refused =
        survive_damage(from_hex(hex), [&](const std::string& bytes) { load_npz(write("y.npz", bytes)); });
    EXPECT_GT(refused, 300);
  }
}

TEST_F(Npy, NpzRefusesByName) {
  const std::string bytes = from_hex(deflated_npz);
  const size_t directory = 0x83;
  std::string changed = bytes;
  changed[directory + 24 + 3] = 0x7f;  // the size it unfolds to
  EXPECT_THAT(error_of([&] { load_npz(write("y.npz", changed)); }),
              HasSubstr("entry 'a.npy' claims 2130706720"));
  changed = bytes;
  changed[directory + 16] ^= 1;
  EXPECT_THAT(error_of([&] { load_npz(write("y.npz", changed)); }),
              HasSubstr("a.npy: damaged: its checksum"));
  changed = bytes;
  changed[directory + 8] = 1;
  EXPECT_THAT(error_of([&] { load_npz(write("y.npz", changed)); }), HasSubstr("encrypted"));
  changed = bytes;
  changed[directory + 10] = 12;
  EXPECT_THAT(error_of([&] { load_npz(write("y.npz", changed)); }), HasSubstr("compression method is 12"));
  EXPECT_THAT(error_of([&] { load_npz(write("y.npz", bytes.substr(0, 100))); }), HasSubstr("no end record"));
  EXPECT_THAT(error_of([&] { load_npz(write("y.npz", "PK\5\6" + std::string(18, '\0'))); }),
              HasSubstr("the archive holds none"));
}

}  // namespace
}  // namespace fokker
