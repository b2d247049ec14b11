#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/core/stop.h"
#include "fokker/data/normalisation.h"
#include "fokker/denoise/analytic.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/format/model.h"
#include "fokker/objective/score_matching.h"
#include "fokker/sample/flow_map.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ddim.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

const TimeGrid grid = TimeGrid::uniform(10);

/// A program's own denoiser, with a fault.
FunctionDenoiser denoiser_of(FunctionDenoiser::Function function) {
  return FunctionDenoiser(std::move(function), VariancePreserving{}, Prediction::noise());
}

AnalyticDenoiser standard_normal() {
  return AnalyticDenoiser(GaussianMixture::gaussian(at::zeros({2}, at::kDouble), at::ones({2}, at::kDouble)),
                          VariancePreserving{});
}

// What libtorch throws inside a program's own part comes out as the library's error.
TEST(PublicBoundary, MismatchedShapesAreErrors) {
  const FunctionDenoiser transposed = denoiser_of([](const Tensor& x, const Times&) {
    return x.mm(at::ones({3, 3}, x.options()));
  });
  const auto refused = [](auto action) {
    // libtorch 2.x names the operation between the two.
    for (const char* text : {"libtorch: m", "mat1 and mat2 shapes"})
      expect_error(action, ErrorKind::failed, text);
  };
  const Tensor x = at::zeros({4, 2}, at::kDouble);
  refused([&] { generate(transposed, Ddim(), grid, {4, 2}, Rng(0)); });
  refused([&] { integrate(transposed, Ddim(), grid, x); });
  refused([&] { encode(transposed, x, {}); });
  refused([&] { decode(transposed, x, {}); });
  refused([&] { log_likelihood(transposed, x, {}, Rng(0)); });
  const auto normalisation = Normalisation::fit(rows_of({{1, 2}, {3, 4}}), NormalisationKind::whiten);
  EXPECT_THROW(normalisation.apply(at::zeros({4, 3}, at::kDouble)), Error);
  EXPECT_THROW(standard_normal().estimate(at::zeros({4, 3}, at::kDouble), 0.5), Error);
  expect_error(
      [&] {
        denoising_score_matching([](const Tensor& y) { return y; }, x, at::zeros({3, 5}, at::kDouble), 1);
      },
      ErrorKind::failed, "libtorch: The size of tensor a");
}

TEST(PublicBoundary, ShortMemoryIsAResourceError) {
  const int64_t most = int64_t{1} << 57;
  const auto refused = [](auto action) { expect_error(action, ErrorKind::resource, "out of memory"); };
  refused([&] { generate(standard_normal(), Ddim(), grid, {most, 2}, Rng(0)); });
  refused([&] {
    generate(denoiser_of([](const Tensor&, const Times&) -> Tensor { throw std::bad_alloc(); }), Ddim(), grid,
             {4, 2}, Rng(0));
  });
}

TEST(PublicBoundary, WhatTheProgramThrowsPassesThrough) {
  struct Enough {
    int64_t step;
  };
  try {
    integrate(standard_normal(), Ddim(), grid, at::zeros({4, 2}, at::kDouble),
              {.observers = {[](const Observation& seen) {
                 if (seen.step == 3) throw Enough{seen.step};
               }}});
    ADD_FAILURE();
  } catch (const Enough& enough) {
    EXPECT_EQ(enough.step, 3);
  }
}

// A model folder of the right files with values of the wrong type.
TEST(PublicBoundary, JsonOfAnotherTypeIsAnInputError) {
  const TestFolder folder;
  folder.write("fokker.json", R"({"process": 5, "prediction": [], "normalisation": "x"})");
  folder.write("network/config.json", R"({"_class_name": {}})");
  refusal_of([&] { load_model(folder); }, ErrorKind::input);
}

// A stop says what was done: blocks that are finished and the step of the one that is not; an observer has
// seen the same.
TEST(Integrate, AStopSaysHowFarItCame) {
  StopRequest request;
  const StopScope scope(&request);
  int64_t row = -1, step = -1;
  const Observer observer = [&](const Observation& seen) {
    row = seen.first_sample;
    step = seen.step;
    if (row == 8 && step == 3) request.make();
  };
  expect_error(
      [&] {
        integrate(standard_normal(), Ddim(), grid, at::zeros({12, 2}, at::kDouble),
                  {.block = 4, .observers = {observer}});
      },
      ErrorKind::stopped, "stopped on request: 8 rows are finished, those that follow at step 3 of 10");
  EXPECT_EQ(row, 8);
  EXPECT_EQ(step, 3);
}

}  // namespace
}  // namespace fokker
