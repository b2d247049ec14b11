#include "fokker/nn/unet/unet_frozen.h"

#include <ATen/Parallel.h>

#include "nn/unet_support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::randomise;
using testing::tiny;
using testing::uneven;
using testing::uneven_without_attention;

/// A network with random weights in float32, and the same in float64.
struct Pair {
  UNet exact, single;
  explicit Pair(const UNetOptions& options) : exact(options), single(options) {
    randomise(exact, 6, 0.2);
    single.load(exact.parameters());
  }
};

void expect_frozen_agrees(const UNetOptions& options, int64_t n, bool one_time) {
  const Pair networks(options);
  const auto frozen = networks.single.frozen();
  ASSERT_NE(frozen, nullptr);
  std::vector<int64_t> sizes = networks.single.event_shape();
  sizes.insert(sizes.begin(), n);
  const Tensor x = Rng(1).normal(sizes), t = Rng(2).uniform({one_time ? 1 : n}).mul(5);
  std::vector<Tensor> labels = {{}};
  if (options.num_class_embeds) labels.push_back(at::arange(n).remainder(options.num_class_embeds).sub(1));
  GradientMode off(false);
  for (const Tensor& label : labels) {
    const Tensor expected = networks.exact.forward(x.to(at::kDouble), t.to(at::kDouble), label);
    const double size = expected.abs().max().item<double>();
    EXPECT_LT(difference(frozen->forward(x, t, label).to(at::kDouble), expected), 3e-5 * size);
    EXPECT_LT(difference(networks.single.forward(x, t, label).to(at::kDouble), expected), 3e-5 * size);
  }
}

TEST(FrozenUNet, AgreesWithTheNetworkInFloat64) {
  expect_frozen_agrees(tiny(), 3, false);
  expect_frozen_agrees(tiny(), 21, true);
  expect_frozen_agrees(uneven(), 2, false);
  expect_frozen_agrees(uneven_without_attention(), 1, true);
  expect_frozen_agrees(UNetOptions::for_images(3, 32, 32, 24, 2), 3, false);
}

// Also of fewer images than threads, whose layers then share out their own work.
TEST(FrozenUNet, ResultsDependNeitherOnTheBatchNorOnThreads) {
  const Pair networks(UNetOptions::for_images(1, 28, 28, 16));
  const auto frozen = networks.single.frozen();
  const Tensor x = Rng(1).normal({19, 1, 28, 28}), t = Rng(2).uniform({19}).mul(5);
  const Tensor together = frozen->forward(x, t, {});
  const int threads = at::get_num_threads();
  for (const int count : {1, 2, 3}) {
    at::set_num_threads(count);
    EXPECT_TRUE(at::equal(frozen->forward(x, t, {}), together)) << count;
    for (const int64_t i : {0, 18})
      EXPECT_TRUE(at::equal(frozen->forward(x.narrow(0, i, 1), t.narrow(0, i, 1), {})[0], together[i]));
  }
  at::set_num_threads(threads);
}

// Rows of the time's embedding that end inside vectors, and enough of them for threads to share.
TEST(FrozenUNet, ManyImagesAreEachAsIfAlone) {
  UNetOptions o = tiny();
  o.time_embedding_dim = 21;
  o.sample_height = o.sample_width = 2;
  for (const bool cosines_first : {true, false}) {
    o.flip_sin_to_cos = cosines_first;
    const Pair networks(o);
    const auto frozen = networks.single.frozen();
    constexpr int64_t n = 2051;
    const Tensor x = Rng(1).normal({n, 2, 2, 2}), t = Rng(2).uniform({n}).mul(500);
    const Tensor label = Rng(3).integers(n, 3).sub(1);
    const auto part = [&](int64_t first, int64_t count) {
      return frozen->forward(x.narrow(0, first, count), t.narrow(0, first, count),
                             label.narrow(0, first, count));
    };
    const Tensor together = part(0, n);
    const int threads = at::get_num_threads();
    for (const int count : {1, 2, 3}) {
      at::set_num_threads(count);
      EXPECT_TRUE(at::equal(part(0, n), together)) << count;
      for (const int64_t i : {0, 1, 683, 1026, 2050}) EXPECT_TRUE(at::equal(part(i, 1)[0], together[i])) << i;
      EXPECT_TRUE(at::equal(part(77, 301), together.narrow(0, 77, 301))) << count;
    }
    at::set_num_threads(threads);
  }
}

// What a convolution with zeros around it leaves of a blank image is constant but for its edge.
TEST(FrozenUNet, AgreesOnBlankImages) {
  for (const int64_t side : {28, 192}) {
    UNetOptions o = UNetOptions::for_images(1, side, side, 8);
    o.down_attention.assign(o.block_out_channels.size(), false);  // of whole large images
    o.up_attention.clear();
    o.mid_attention = false;
    const Pair networks(o);
    const auto frozen = networks.single.frozen();
    GradientMode off(false);
    for (const double level : {-1.0, 0.3}) {
      const Tensor x = at::full({1, 1, side, side}, level), t = at::full({1}, 3.0f);
      const Tensor exact = networks.exact.forward(x.to(at::kDouble), t.to(at::kDouble), {});
      EXPECT_LT(relative_difference(frozen->forward(x.to(at::kFloat), t, {}), exact), 1e-4) << side;
      EXPECT_LT(relative_difference(networks.single.forward(x.to(at::kFloat), t, {}), exact), 1e-4) << side;
    }
  }
}

TEST(FrozenUNet, KeepsTheWeightsAsTheyWere) {
  Pair networks(tiny());
  const auto frozen = networks.single.frozen();
  const Tensor x = Rng(1).normal({2, 2, 6, 4}), t = at::full({1}, 3.0f),
               label = at::tensor({0, 1}, at::kLong);
  GradientMode off(false);
  const Tensor before = frozen->forward(x, t, label);
  for (const auto& p : networks.single.parameters()) Tensor(p.tensor).mul_(1.5);
  EXPECT_EQ(difference(frozen->forward(x, t, label), before), 0);
  EXPECT_GT(difference(networks.single.forward(x, t, label), before), 1e-2);
  EXPECT_EQ(networks.exact.frozen(), nullptr);  // float64 has no faster form
}

// What samplers do beside the network: libtorch's functions that round in one way in a vector and in its rest
// (silu is none of them) leave an image's bits to its place in the batch.
TEST(FrozenUNet, ElementwiseStepsOfSamplersDoNotDependOnThePlace) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const auto draw = [&](uint64_t seed) { return Rng(seed).normal({100'003}, {}, type); };
    const Tensor a = draw(1), b = draw(2), c = draw(3);
    const auto expect_places = [&](const char* name, auto step) {
      const Tensor whole = step(a, b, c);
      const std::vector<std::pair<int64_t, int64_t>> ranges = {
          {0, 1}, {13, 1}, {100, 7}, {5, 50'001}, {100'002, 1}};
      for (const auto& range : ranges) {
        const int64_t first = range.first, count = range.second;
        const auto part = [&](const Tensor& t) { return t.narrow(0, first, count).clone(); };
        EXPECT_TRUE(at::equal(step(part(a), part(b), part(c)), part(whole))) << name << " " << first;
      }
    };
    expect_places("lerp",
                  [](const Tensor& x, const Tensor& y, const Tensor&) { return at::lerp(x, y, 0.37); });
    expect_places("addcmul", [](const Tensor& x, const Tensor& y, const Tensor& z) {
      return at::addcmul(x, y, z, 0.37);
    });
    expect_places("add", [](const Tensor& x, const Tensor& y, const Tensor&) { return at::add(x, y, 0.37); });
    expect_places("axpby",
                  [](const Tensor& x, const Tensor& y, const Tensor&) { return 0.37 * x + 1.3 * y; });
    expect_places("division", [](const Tensor& x, const Tensor& y, const Tensor&) { return x / y; });
    expect_places("clamp", [](const Tensor& x, const Tensor&, const Tensor&) { return x.clamp(-1, 1); });
    expect_places("exp", [](const Tensor& x, const Tensor&, const Tensor&) { return x.exp(); });
  }
}

}  // namespace
}  // namespace fokker
