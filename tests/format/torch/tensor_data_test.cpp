// Files of tensors as data sets.
#include <gmock/gmock.h>

#include "data/damage.h"
#include "fokker/data/load.h"
#include "fokker/format/safetensors.h"
#include "format/torch/torch_files.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TensorData : public FolderTest {};

TEST_F(TensorData, OfTorchSave) {
  const Dataset table = load_data(torch_fixture("tensor.pt"));
  EXPECT_TRUE(table.values.equal(at::arange(10, at::kDouble).view({5, 2})));
  const Dataset images = load_data(torch_fixture("images.pt"));
  EXPECT_EQ(images.values.scalar_type(), at::kByte);
  EXPECT_EQ(images.event_shape(), (std::vector<int64_t>{1, 4, 4}));
  EXPECT_THAT(images.label_names, ElementsAre("0", "1", "2"));
  EXPECT_TRUE(images.labels.equal(at::tensor({2, 0, 1}, at::kLong)));
  EXPECT_EQ(load_data(torch_fixture("checkpoint.pt"), {.array = "model.state_dict.0.weight"}).size(), 3);
  EXPECT_THAT(error_of([] { load_data(torch_fixture("checkpoint.pt")); }),
              HasSubstr("choose one by its key"));
}

TEST_F(TensorData, OfSafetensors) {
  save_safetensors(path("d.safetensors"), {{"x", at::ones({4, 3})}, {"y", at::tensor({0, 1, 1, 0})}});
  const Dataset data = load_data(path("d.safetensors"));
  EXPECT_EQ(data.values.sizes(), (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(data.label_names.size(), 2u);
  save_safetensors(path("e.safetensors"), {{"a", at::ones({4, 3})}, {"b", at::ones({4, 2})}});
  EXPECT_THAT(error_of([&] { load_data(path("e.safetensors")); }),
              HasSubstr("none of which is 'x': choose one of a, b"));
  EXPECT_EQ(load_data(path("e.safetensors"), {.array = "b"}).values.size(1), 2);
}

TEST_F(TensorData, ParquetIsRefusedWithAReason) {
  EXPECT_THAT(error_of([&] { load_data(write("x.parquet", "PAR1")); }),
              HasSubstr("Debian 12 has no library for them; write CSV or NPY instead"));
}

}  // namespace
}  // namespace fokker
