// One frozen denoiser, several threads that sample with it at once.
#include <thread>

#include "fokker/denoise/guidance.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "support.h"

namespace fokker {
namespace {

void expect_threads_agree(const Denoiser& denoiser, std::vector<int64_t> shape) {
  const auto frozen = denoiser.frozen();
  ASSERT_NE(frozen, nullptr);
  const TimeGrid grid = TimeGrid::uniform(4);
  const auto draw = [&](uint64_t seed) { return generate(*frozen, Euler(), grid, shape, Rng(seed)).x; };
  constexpr int count = 4, rounds = 3;
  std::vector<Tensor> alone;
  for (int k = 0; k < count; ++k) alone.push_back(draw(static_cast<uint64_t>(k)));
  EXPECT_GT(worst(alone[0], alone[1]), 0.1);
  std::vector<std::thread> threads;
  std::vector<int> equal(count);
  for (int k = 0; k < count; ++k)
    threads.emplace_back([&, k] {
      for (int i = 0; i < rounds; ++i) equal[k] += at::equal(draw(static_cast<uint64_t>(k)), alone[k]);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(equal, ::testing::Each(rounds));
}

TEST(FrozenThreads, OfAnMlpAgreeWithOneThread) {
  const auto network =
      std::make_shared<Mlp>(MlpOptions{.dimension = 2, .classes = 2, .zero_output = false}, 3);
  const auto denoiser =
      std::make_shared<LearnedDenoiser>(network, DenoiserSpec{.process = VariancePreserving{}});
  expect_threads_agree(*denoiser, {150, 2});
  expect_threads_agree(ClippedDenoiser(denoiser, 1), {150, 2});
}

TEST(FrozenThreads, OfAUNetAgreeWithOneThread) {
  UNetOptions options = UNetOptions::for_images(1, 16, 16, 8);
  options.zero_output = false;
  const auto network = std::make_shared<UNet>(options, 3);
  expect_threads_agree(LearnedDenoiser(network, {.process = VariancePreserving{}}), {6, 1, 16, 16});
}

}  // namespace
}  // namespace fokker
