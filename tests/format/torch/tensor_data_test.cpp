// Files of tensors as data sets.
#include <gmock/gmock.h>

#include "data/damage.h"
#include "fokker/data/load.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"
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

/// The rows and labels that script/peers-torch-files writes in every form.
void expect_the_three(const Dataset& data, const std::string& form, bool labelled = true) {
  EXPECT_TRUE(data.values.equal(at::arange(6, at::kDouble).view({3, 2}))) << form;
  if (labelled) {
    EXPECT_THAT(data.label_names, ElementsAre("0", "1", "2")) << form;
    ASSERT_TRUE(data.labels.defined()) << form;
    EXPECT_TRUE(data.labels.equal(at::tensor({2, 0, 1}, at::kLong))) << form;
  } else {
    EXPECT_FALSE(data.labels.defined()) << form;
  }
}

// A TensorDataset is the tensors that it holds; rows may be listed one by one, with their labels or without.
TEST_F(TensorData, OfTheUsualFormsOfTorchSave) {
  expect_the_three(load_data(torch_fixture("dataset.pt")), "TensorDataset");
  const auto all = torch_fixture("datasets.pt");
  for (const char* form : {"dataset", "pairs", "items", "listed", "tuple", "capitals", "listed.x"})
    expect_the_three(load_data(all, {.array = form}), form, form != std::string("listed.x"));
  for (const char* form : {"alone", "rows", "views", "single"})
    expect_the_three(load_data(all, {.array = form}), form, false);
  // Two rows are no values and labels.
  EXPECT_TRUE(load_data(all, {.array = "two"}).values.equal(at::arange(4, at::kDouble).view({2, 2})));
  EXPECT_EQ(TorchFile(torch_fixture("dataset.pt")).list().size(), 2u);
  // A tensor named at the top keeps the labels beside it, as an array of an NPZ archive does.
  const auto images = load_data(torch_fixture("images.pt"), {.array = "x"});
  EXPECT_EQ(images.label_names.size(), load_data(torch_fixture("images.pt")).label_names.size());
}

TEST_F(TensorData, RefusesOtherFormsWithWhatToDo) {
  const auto refusal = [](const char* form) {
    return error_of([&] { load_data(torch_fixture("datasets.pt"), {.array = form}); });
  };
  EXPECT_THAT(refusal("ragged"),
              HasSubstr("row 1 (from 0): expected a tensor of shape (2) of Float, as the first "
                        "is, but it is (3) of Float"));
  EXPECT_THAT(refusal("numbers"), HasSubstr("expected labels that are whole numbers but found 0.5"));
  EXPECT_THAT(refusal("named"), HasSubstr("'y': item 0 (from 0): expected labels that are numbers"));
  EXPECT_THAT(refusal("several"), HasSubstr("choose one of 0, 1, 2 (--array)"));
  EXPECT_THAT(refusal("dicts"), HasSubstr("a list of dicts: save one dict of tensors"));
  EXPECT_THAT(refusal(""), HasSubstr("choose one by its key, of: dataset, alone, rows, two, views"));
  EXPECT_THAT(
      error_of([] { load_data(torch_fixture("subset.pt")); }),
      HasSubstr("it asks for torch.utils.data.dataset.Subset, which is no tensor's and is not executed; of a "
                "data set save its tensors: torch.save((x, labels), ...)"));
  EXPECT_THAT(error_of([] { load_data(torch_fixture("numpy.pt")); }),
              HasSubstr("save arrays with numpy.savez"));
}

TEST_F(TensorData, OfSafetensors) {
  save_safetensors(path("d.safetensors"), {{"x", at::ones({4, 3})}, {"y", at::tensor({0, 1, 1, 0})}});
  const Dataset data = load_data(path("d.safetensors"));
  EXPECT_EQ(data.values.sizes(), (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(data.label_names.size(), 2u);
  save_safetensors(path("e.safetensors"), {{"a", at::ones({4, 3})}, {"b", at::ones({4, 2})}});
  EXPECT_THAT(error_of([&] { load_data(path("e.safetensors")); }),
              HasSubstr("none of which is 'x': choose one of a, b (--array)"));
  EXPECT_EQ(load_data(path("e.safetensors"), {.array = "b"}).values.size(1), 2);
  EXPECT_THAT(error_of([&] { load_data(path("e.safetensors"), {.array = "c"}); }),
              HasSubstr("no array 'c': expected one of a, b"));
}

TEST_F(TensorData, ParquetIsRefusedWithAReason) {
  EXPECT_THAT(error_of([&] { load_data(write("x.parquet", "PAR1")); }),
              HasSubstr("Debian 12 has no library for them; write CSV or NPY instead"));
}

}  // namespace
}  // namespace fokker
