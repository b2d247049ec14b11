#include "fokker/data/rows/row_source.h"

#include <gmock/gmock.h>

#include "fokker/data/array/npy.h"
#include "fokker/data/dataset.h"
#include "fokker/data/load.h"
#include "fokker/data/normalisation.h"
#include "fokker/data/rows/stored_rows.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;
using RowSourceTest = FolderTest;

Tensor counted_up(IntArrayRef shape, at::ScalarType type) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return at::arange(count, at::kLong).remainder(251).reshape(shape).to(type);
}

const std::vector<int64_t> some_rows = {7, 0, 1, 2, 9, 3, 3, 8};

/// Whatever is asked for is what a tensor of all would give.
void expect_rows(const RowSource& rows, const Tensor& values) {
  ASSERT_EQ(rows.size(), values.size(0));
  ASSERT_EQ(IntArrayRef(rows.event_shape()), values.sizes().slice(1));
  ASSERT_EQ(rows.type(), values.scalar_type());
  const Tensor asked = at::tensor(some_rows, at::TensorOptions(at::kLong)).remainder(values.size(0));
  EXPECT_TRUE(rows.rows(asked).equal(values.index_select(0, asked)));
  for (int64_t first = 0; first < values.size(0); ++first)
    for (int64_t count = 0; first + count <= values.size(0); ++count)
      ASSERT_TRUE(rows.block(first, count).equal(values.narrow(0, first, count))) << first << " " << count;
}

TEST_F(RowSourceTest, ViewsGiveWhatTensorsWould) {
  const Tensor values = counted_up({10, 3}, at::kDouble);
  const Rows all = rows_of_tensor(values);
  expect_rows(*all, values);
  const Tensor chosen = at::tensor(std::vector<int64_t>{4, 4, 0, 9}, at::TensorOptions(at::kLong));
  expect_rows(*rows_at(all, chosen), values.index_select(0, chosen));
  for (const std::vector<int64_t>& out :
       {std::vector<int64_t>{}, {0}, {9}, {0, 1, 2}, {2, 5, 6, 8, 9}, {1, 3, 5, 7}}) {
    Tensor kept = at::ones({10}, at::kBool);
    const Tensor left_out = at::tensor(out, at::TensorOptions(at::kLong));
    kept.index_fill_(0, left_out, 0);
    expect_rows(*rows_but(all, left_out), values.index_select(0, kept.nonzero().squeeze(1)));
  }
  expect_rows(*columns_of_rows(all, {2, 0}), values.index_select(1, at::tensor(std::vector<int64_t>{2, 0})));
  const Tensor images = counted_up({4, 1, 2, 3}, at::kByte);
  expect_rows(*mirrored_rows(rows_of_tensor(images)), at::cat({images, images.flip({3})}));
}

TEST_F(RowSourceTest, NpyRowsAreThoseOfLoadNpy) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kByte, at::kChar, at::kShort,
                                    at::kInt, at::kLong, at::kBool}) {
    save_npy(path("a.npy"), counted_up({10, 2, 2}, type));
    std::string why_not;
    const Rows rows = open_npy_rows(path("a.npy"), why_not);
    ASSERT_TRUE(rows) << why_not;
    expect_rows(*rows, load_npy(path("a.npy")));
  }
}

/// An NPY file whose dictionary says what no writer of ours writes.
std::string npy_bytes(const std::string& descr, const std::string& fortran, const std::string& data) {
  std::string text = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (2, 2), }";
  text.append(117 - text.size(), ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + text + "\n" + data;
}

TEST_F(RowSourceTest, NpyRowsOfOtherByteOrdersAndUnsignedTypes) {
  const std::string bytes("\xff\xfe\x00\x01\x80\x00\x00\x02", 8);
  std::string why_not;
  for (const char* descr : {">u2", "<u2", ">i2"}) {
    write("a.npy", npy_bytes(descr, "False", bytes));
    const Rows rows = open_npy_rows(path("a.npy"), why_not);
    ASSERT_TRUE(rows) << why_not;
    EXPECT_TRUE(rows->block(0, 2).equal(load_npy(path("a.npy")))) << descr;
  }
  write("a.npy", npy_bytes("<u2", "True", bytes));
  EXPECT_FALSE(open_npy_rows(path("a.npy"), why_not));
  EXPECT_THAT(why_not, HasSubstr("Fortran order"));
}

TEST_F(RowSourceTest, ATruncatedFileIsRefusedBeforeTheWork) {
  save_npy(path("a.npy"), counted_up({100, 3}, at::kDouble));
  std::string bytes = read("a.npy");
  bytes.resize(bytes.size() - 8);
  write("a.npy", bytes);
  std::string why_not;
  EXPECT_EQ(refusal_of([&] { open_npy_rows(path("a.npy"), why_not); }),
            path("a.npy").string() +
                ": truncated: its header claims 2400 bytes of data, shape (100, 3), but only 2392 "
                "bytes follow");
}

TEST_F(RowSourceTest, AFileThatChangesWhileItIsInUseIsAnError) {
  const auto file = path("a.npy");
  save_npy(file, counted_up({100, 3}, at::kDouble));
  std::string why_not;
  const Rows rows = open_npy_rows(file, why_not);
  rows->block(0, 100);
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(2));
  EXPECT_THAT(refusal_of([&] { rows->block(0, 1); }),
              HasSubstr("a.npy: it was changed while its rows were in use"));
  std::filesystem::resize_file(file, 200);
  EXPECT_THAT(refusal_of([&] { rows->block(90, 5); }),
              HasSubstr("a.npy: it was cut short while its rows were in use"));
}

TEST_F(RowSourceTest, StoredDataIsSplitAndScaledWithTheSameBits) {
  const Tensor values = Rng(3).normal({5000, 3}, {}, at::kFloat) * 3 + 1;
  save_npy(path("a.npy"), values);
  const Dataset in_memory = load_data(path("a.npy"));
  const Dataset stored = load_data(path("a.npy"), {.stream = Streaming::yes});
  ASSERT_TRUE(stored.stored);
  EXPECT_FALSE(stored.values.defined());
  EXPECT_EQ(stored.columns, in_memory.columns);
  const Split a = split_rows(in_memory, 0.9, Rng(1)), b = split_rows(stored, 0.9, Rng(1));
  EXPECT_TRUE(b.training.loaded().values.equal(a.training.values));
  EXPECT_TRUE(b.held_out.loaded().values.equal(a.held_out.values));
  for (const NormalisationKind kind : {NormalisationKind::standardise, NormalisationKind::whiten})
    EXPECT_EQ(Normalisation::fit(*b.training.stored, kind).to_json(),
              Normalisation::fit(a.training.values, kind).to_json());
}

TEST_F(RowSourceTest, WhatCannotStayOnDiskIsRefusedWhereItMust) {
  save_npz(path("a.npz"), {{"x", counted_up({4, 2}, at::kFloat)}});
  EXPECT_THAT(
      refusal_of([&] { load_data(path("a.npz"), {.stream = Streaming::yes}); }),
      HasSubstr(
          "a.npz cannot stay on disk: it is neither an NPY file nor a CSV file nor a folder of images"));
  // What is small is read into memory unless it must not be.
  save_npy(path("a.npy"), counted_up({4, 2}, at::kFloat));
  EXPECT_FALSE(load_data(path("a.npy"), {.stream = Streaming::automatic}).stored);
  write("bad.npy", read("a.npy"));
  Tensor bad = counted_up({4, 2}, at::kFloat);
  bad[2][1] = NAN;
  save_npy(path("bad.npy"), bad);
  EXPECT_EQ(refusal_of([&] { load_data(path("bad.npy"), {.stream = Streaming::yes}); }),
            refusal_of([&] { load_data(path("bad.npy")); }));
  EXPECT_EQ(refusal_of([] { parse_streaming("maybe"); }),
            "stream: expected auto, yes or no but received 'maybe'");
}

}  // namespace
}  // namespace fokker
