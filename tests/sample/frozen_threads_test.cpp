// One prepared denoiser, several threads that sample with it at once.
#include <thread>

#include "fokker/denoise/analytic.h"
#include "fokker/denoise/guidance.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "support.h"

namespace fokker {
namespace {

/// What several threads draw with `shared` at once is what one draws with `own`.
void expect_threads_agree(const Denoiser& own, const Denoiser& shared, std::vector<int64_t> shape) {
  const TimeGrid grid = TimeGrid::uniform(4);
  const auto draw = [&](const Denoiser& denoiser, int seed) {
    return generate(denoiser, Euler(), grid, shape, Rng(static_cast<uint64_t>(seed))).x;
  };
  constexpr int count = 4, rounds = 3;
  std::vector<Tensor> alone;
  for (int k = 0; k < count; ++k) alone.push_back(draw(own, k));
  EXPECT_GT(worst(alone[0], alone[1]), 0.1);
  std::vector<std::thread> threads;
  std::vector<int> equal(count);
  for (int k = 0; k < count; ++k)
    threads.emplace_back([&, k] {
      for (int i = 0; i < rounds; ++i) equal[k] += at::equal(draw(shared, k), alone[k]);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(equal, ::testing::Each(rounds));
}

void expect_threads_agree(const Denoiser& denoiser, std::vector<int64_t> shape) {
  const auto frozen = denoiser.frozen();
  ASSERT_NE(frozen, nullptr);
  expect_threads_agree(*frozen, *frozen, std::move(shape));
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

// An exact denoiser prepares itself when it is first used, which is by several threads at once here: in few
// dimensions, and in so many that its other kernels sum.
TEST(FrozenThreads, ThatBeginWithAnExactDenoiserAgreeWithOne) {
  for (const int64_t d : {2, 20}) {
    const auto exact = [&] {
      return AnalyticDenoiser(GaussianMixture::empirical(Rng(1).normal({3000, d})), VariancePreserving{});
    };
    expect_threads_agree(exact(), exact(), {100, d});
  }
}

}  // namespace
}  // namespace fokker
