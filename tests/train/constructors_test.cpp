// Constructors that are public functions too: what libtorch, a container or a file system throws in them
// comes out as the library's error.
#include <torch/csrc/autograd/function.h>

#include "fokker/condition/measurement.h"
#include "fokker/condition/operator/operators.h"
#include "fokker/data/array/npy.h"
#include "fokker/denoise/analytic.h"
#include "fokker/denoise/guidance.h"
#include "fokker/format/torch/torch_file.h"
#include "fokker/nn/table/table_network.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/train/flat_parameters.h"
#include "fokker/train/run_events.h"
#include "some_table.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

/// Without values.
Tensor nowhere(IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions(at::kMeta));
}

template <typename Work>
void expect_libtorch(Work work) {
  expect_error(work, ErrorKind::failed, "libtorch: ");
}

template <typename Work>
void expect_out_of_memory(Work work) {
  expect_error(work, ErrorKind::resource, "out of memory");
}

TEST(WrappedConstructors, OfMeasurementsAndOperators) {
  const auto a = std::make_shared<MatrixOperator>(at::ones({2, 3}, at::kDouble), std::vector<int64_t>{3});
  expect_libtorch([&] { LinearMeasurement(a, nowhere({4, 2}), 0.1); });
  expect_libtorch([&] { PoissonMeasurement(a, nowhere({4, 2}), {}); });
  expect_libtorch([&] { FunctionMeasurement([](const Tensor& x) { return x; }, {3}, nowhere({4, 3}), 0.1); });
  expect_libtorch([&] { MatrixOperator(nowhere({2, 3}), {3}); });
  expect_libtorch([&] { MaskOperator{nowhere({3}).to(at::kBool)}; });
  const int64_t side = int64_t{1} << 22;
  expect_out_of_memory([&] { BlurOperator({1, side, side}, 1.0); });
  const auto fault = [](const Tensor& x) { return x.matmul(x); };
  expect_libtorch([&] { FunctionOperator("own", {3}, {2}, fault, fault); });
}

TEST(WrappedConstructors, OfDenoisers) {
  const GaussianMixture mixture = GaussianMixture::standard_normal(2).to(at::kMeta);
  expect_libtorch([&] { AnalyticDenoiser(mixture, VariancePreserving{}); });
  const Tensor x = at::zeros({2, 2});
  expect_error([&] { Estimate(x, Tensor(), Prediction::noise(), VariancePreserving{}, 0.5); },
               ErrorKind::argument, "Estimate: expected a prediction of shape");
}

// Sizes that no machine has.
TEST(WrappedConstructors, OfNetworks) {
  const int64_t side = int64_t{1} << 45;
  expect_error([&] { UNet(UNetOptions::for_images(1, 16, 16, side)); }, ErrorKind::argument,
               "UNet: expected block_out_channels from 2 to 65536");
  const TableLayout layout = some_map().layout();
  expect_out_of_memory([&] { TableNetwork(layout, {.width = side, .depth = 1}, 0); });
}

TEST(WrappedConstructors, OfFiles) {
  const TestFolder folder;
  folder.write("file", "not a folder");
  const fs::path below = folder.path() / "file" / "x";
  expect_error([&] { NpyWriter(below, {2, 2}, at::kDouble); }, ErrorKind::resource, "file/x");
  expect_error([&] { TorchFile{below}; }, ErrorKind::input, "file/x");
  const Trainer trainer = make_trainer({});
  expect_error([&] { RunEvents(below, trainer); }, ErrorKind::resource, "file/x");
}

/// Whose copies, or weights, are no use.
class FaultyNetwork final : public Network {
 public:
  explicit FaultyNetwork(const Tensor& weight) { add_parameter("weight", weight); }
  Tensor forward(const Tensor& x, const Tensor&, const Tensor&) const override { return x; }
  std::unique_ptr<Network> clone() const override { throw std::bad_alloc(); }
  Json config() const override { return {{"_class_name", "Faulty"}}; }
  std::vector<int64_t> event_shape() const override { return {2}; }
};

TEST(WrappedConstructors, OfTraining) {
  const auto train = [](std::unique_ptr<Network> network) {
    Dataset data = small_table(10);
    Normalisation normalisation = Normalisation::fit(data.values, NormalisationKind::standardise);
    Trainer(std::move(network), {.process = VariancePreserving{}}, std::make_shared<DenoisingObjective>(),
            {data, data}, std::move(normalisation), {}, Rng(1));
  };
  expect_out_of_memory([&] { train(std::make_unique<FaultyNetwork>(at::ones({2}))); });
  expect_error([&] { train(nullptr); }, ErrorKind::argument, "expected a network");
  FaultyNetwork network(at::ones({1}).expand({int64_t{1} << 57}));
  expect_out_of_memory([&] { FlatParameters{network}; });
}

}  // namespace
}  // namespace fokker
