#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <thread>

#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/probability_flow.h"

namespace fokker {
namespace {

constexpr int64_t rows = 6;

/// What a thread draws that serves requests with these seeds.
std::vector<Tensor> drawn(const Denoiser& denoiser, const std::vector<int64_t>& event, int64_t first_seed) {
  at::set_num_threads(1);
  std::vector<int64_t> shape = {rows};
  shape.insert(shape.end(), event.begin(), event.end());
  std::vector<Tensor> results;
  for (int64_t seed = first_seed; seed < first_seed + 3; ++seed)
    results.push_back(
        generate(denoiser, Heun(), TimeGrid::uniform(4), shape, Rng(static_cast<uint64_t>(seed))).x);
  return results;
}

// One prepared denoiser, kept and used by several threads at once: every request gets what it would alone.
void expect_shared(std::shared_ptr<Network> network) {
  const auto event = network->event_shape();
  {
    const GradientMode off(false);
    for (const auto& p : network->parameters())
      p.tensor.add_(Rng(1).stream(p.name).normal(p.tensor.sizes()), 0.05);
  }
  const LearnedDenoiser denoiser(network, VariancePreserving{}, Prediction::velocity());
  const std::unique_ptr<const Denoiser> frozen = denoiser.frozen();
  ASSERT_NE(frozen, nullptr);
  const int before = at::get_num_threads();
  constexpr int threads = 4;
  std::vector<std::vector<Tensor>> together(threads);
  {
    std::vector<std::jthread> pool;
    for (int k = 0; k < threads; ++k)
      pool.emplace_back([&, k] { together[k] = drawn(*frozen, event, 3 * k); });
  }
  for (int k = 0; k < threads; ++k) {
    const auto alone = drawn(*frozen, event, 3 * k);
    for (size_t i = 0; i < alone.size(); ++i)
      EXPECT_TRUE(at::equal(together[k][i], alone[i])) << "thread " << k << ", request " << i;
  }
  at::set_num_threads(before);
}

TEST(Concurrent, OneFrozenMlpServesManyThreads) {
  expect_shared(std::make_shared<Mlp>(MlpOptions{.dimension = 3, .width = 32, .depth = 2}));
}

TEST(Concurrent, OneFrozenUNetServesManyThreads) {
  expect_shared(std::make_shared<UNet>(UNetOptions::for_images(1, 8, 8, 8)));
}

}  // namespace
}  // namespace fokker
