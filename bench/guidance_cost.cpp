// What guidance costs beyond its extra calls of the network, in processor time, which other work on the
// machine hardly changes.
#include "guidance_cost.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "fokker/denoise/guidance.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/exponential/unipc.h"

namespace fokker::bench {
namespace {

template <typename Work>
double processor_seconds(const Work& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

struct Ratios {
  double low = 0, median = 0, high = 0;  ///< quartiles and the middle
};

/// a's time over b's, in turns.
template <typename A, typename B>
Ratios paired(int turns, const A& a, const B& b) {
  a();
  b();
  std::vector<double> all;
  for (int i = 0; i < turns; ++i) {
    const double first = processor_seconds(a), second = processor_seconds(b);
    all.push_back(first / second);
  }
  std::sort(all.begin(), all.end());
  const size_t n = all.size();
  return {all[n / 4], all[n / 2], all[3 * n / 4]};
}

struct Problem {
  const char* name;
  std::shared_ptr<const Denoiser> denoiser;
  std::vector<int64_t> event;
  std::vector<int64_t> rows;  ///< of each measurement
};

std::vector<Problem> problems() {
  const DenoiserSpec spec{.process = VariancePreserving{}, .prediction = Prediction::velocity()};
  MlpOptions points{.dimension = 2, .width = 128, .depth = 4, .classes = 10, .zero_output = false};
  UNetOptions images = UNetOptions::for_images(1, 28, 28, 32, 10);
  images.zero_output = false;
  return {{"mlp 4 x 128",
           std::make_shared<LearnedDenoiser>(std::make_shared<Mlp>(points, 1), spec),
           {2},
           {16, 256, 4096}},
          {"unet 28 x 28",
           std::make_shared<LearnedDenoiser>(std::make_shared<UNet>(images, 1), spec),
           {1, 28, 28},
           {1, 8, 64}}};
}

std::vector<int64_t> shape_of(const Problem& problem, int64_t n) {
  std::vector<int64_t> shape{n};
  shape.insert(shape.end(), problem.event.begin(), problem.event.end());
  return shape;
}

void print_sampling(const Problem& problem, int64_t n, int turns) {
  const TimeGrid grid = TimeGrid::uniform_log_snr(problem.denoiser->process(), 10);
  const auto draw = [&](const Denoiser& denoiser) {
    generate(denoiser, UniPc(), grid, shape_of(problem, n), Rng(1));
  };
  const GuidedDenoiser plain(problem.denoiser, 3, 1.0), guided(problem.denoiser, 3, 2.0);
  const Ratios r = paired(
      turns, [&] { draw(guided); }, [&] { draw(plain); });
  std::printf("%-14s %5lld rows  guided / (2 plain): %.3f (%.3f .. %.3f)\n", problem.name,
              static_cast<long long>(n), r.median / 2, r.low / 2, r.high / 2);
}

void print_doubled(const Problem& problem, int64_t n, int turns) {
  const GradientMode off(false);
  const auto frozen = problem.denoiser->frozen();
  const Tensor x = Rng(2).normal(shape_of(problem, n));
  const Tensor labels = at::full({n}, 3, at::kLong), none = at::full({n}, -1, at::kLong);
  const int repeats = n < 64 ? 20 : 2;
  const auto doubled = [&] {
    for (int i = 0; i < repeats; ++i) {
      const Tensor value = frozen->estimate(at::cat({x, x}), 0.5, at::cat({labels, none})).value();
      at::lerp(value.narrow(0, n, n), value.narrow(0, 0, n), 2.0);
    }
  };
  const auto apart = [&] {
    for (int i = 0; i < repeats; ++i) frozen->estimate(x, 0.5).towards(frozen->estimate(x, 0.5, labels), 2.0);
  };
  const Ratios r = paired(turns, doubled, apart);
  std::printf("%-14s %5lld rows  one doubled batch / two calls: %.3f (%.3f .. %.3f)\n", problem.name,
              static_cast<long long>(n), r.median, r.low, r.high);
}

}  // namespace

void print_guidance_cost() {
  for (const Problem& problem : problems())
    for (const int64_t n : problem.rows) {
      print_sampling(problem, n, 15);
      print_doubled(problem, n, 15);
    }
}

}  // namespace fokker::bench
