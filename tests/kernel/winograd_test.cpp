#include "fokker/kernel/image/winograd.h"

#include <gtest/gtest.h>

#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/matrix/gemm.h"
#include "support.h"

namespace fokker::kernel {
namespace {

Tensor drawn_numbers(const char* name, IntArrayRef sizes) {
  return Rng(21).stream(name).normal(sizes);
}

/// All panels.
std::vector<float> transformed_filters(const Tensor& g, int64_t outputs, int64_t inputs) {
  std::vector<float> filters(36 * winograd_stride(packed_size(inputs, outputs)));
  for (int64_t panel = 0; panel * gemm_panel < outputs; ++panel)
    winograd_filters(g.data_ptr<float>(), outputs, inputs, false, panel, filters.data());
  return filters;
}

/// Element (row, column) of a packed matrix.
float packed_element(const float* panels, int64_t rows, int64_t row, int64_t column) {
  return panels[(column / gemm_panel * rows + row) * gemm_panel + column % gemm_panel];
}

class Winograd : public testing::TestWithParam<int64_t> {};

// y(i, j) = sum of d(i + u, j + v) g(u, v), channel by channel: the identity of F(4, 3) in two dimensions.
TEST_P(Winograd, OneTileIsTheConvolution) {
  const int64_t channels = GetParam();
  const Tensor d = drawn_numbers("d", {6, 6, channels}), g = drawn_numbers("g", {channels, 1, 3, 3});
  std::vector<float> v(36 * channels), y(16 * channels);
  winograd_input(d.data_ptr<float>(), {6 * channels, channels}, channels, v.data(), channels);
  const std::vector<float> filters = transformed_filters(g, channels, 1);
  for (int64_t p = 0; p < 36; ++p)
    for (int64_t c = 0; c < channels; ++c)
      v[p * channels + c] *=
          packed_element(filters.data() + p * winograd_stride(packed_size(1, channels)), 1, 0, c);
  winograd_output(v.data(), channels, channels, {.y = y.data(), .y_strides = {4 * channels, channels}});
  const Tensor images = d.permute({2, 0, 1}).unsqueeze(0).to(at::kDouble);
  const Tensor expected =
      at::conv2d(images, g.to(at::kDouble), {}, IntArrayRef(1), IntArrayRef(0), IntArrayRef(1), channels)[0]
          .permute({1, 2, 0});
  const Tensor found = at::from_blob(y.data(), {4, 4, channels}, at::kFloat).to(at::kDouble);
  EXPECT_LT(worst(found, expected), 1e-5 * expected.abs().max().item<double>());
}

// <output(m), d> = <m, output_gradient(d)>, and <filters(g), u> = <g, filter_gradient(u)>.
TEST_P(Winograd, GradientsAreTheTransposedMaps) {
  const int64_t channels = GetParam(), panels = packed_size(1, channels);
  const Tensor m = drawn_numbers("m", {36, channels}), d = drawn_numbers("d", {4, 4, channels});
  Tensor y = at::empty({4, 4, channels}), back = at::zeros({36, panels});
  winograd_output(m.data_ptr<float>(), channels, channels,
                  {.y = y.data_ptr<float>(), .y_strides = {4 * channels, channels}});
  winograd_output_gradient(d.data_ptr<float>(), {4 * channels, channels}, channels, back.data_ptr<float>(),
                           panels, gemm_panel);
  const double left = (y * d).sum(at::kDouble).item<double>();
  EXPECT_NEAR(left, (m * back.narrow(1, 0, channels)).sum(at::kDouble).item<double>(),
              1e-5 * (1 + (y * d).abs().sum().item<double>()));
  const Tensor g = drawn_numbers("g", {channels, 2, 3, 3}), u = drawn_numbers("u", {36, 2, channels});
  const std::vector<float> filters = transformed_filters(g, channels, 2);
  Tensor dg = at::empty_like(g), apart = at::zeros({36, winograd_stride(2 * channels)});
  apart.narrow(1, 0, 2 * channels).copy_(u.view({36, -1}));
  for (int64_t panel = 0; panel * gemm_panel < channels; ++panel)
    winograd_filter_gradient(apart.data_ptr<float>(), channels, 2, panel, dg.data_ptr<float>());
  double sum = 0;
  for (int64_t p = 0; p < 36; ++p)
    for (int64_t r = 0; r < 2; ++r)
      for (int64_t c = 0; c < channels; ++c)
        sum += packed_element(filters.data() + p * winograd_stride(packed_size(2, channels)), 2, r, c) *
               u[p][r][c].item<double>();
  EXPECT_NEAR(sum, (g * dg).sum(at::kDouble).item<double>(),
              1e-5 * (1 + (g * dg).abs().sum().item<double>()));
}

TEST_P(Winograd, WritesOnlyTheTileInsideTheImageAndAddsWhatItIsGiven) {
  const int64_t channels = GetParam();
  const Tensor m = drawn_numbers("m", {36, channels}), start = drawn_numbers("start", {channels});
  const Tensor residual = drawn_numbers("residual", {4, 4, channels});
  Tensor whole = at::empty({4, 4, channels}), part = at::full({4, 4, channels}, 7.5f);
  winograd_output(m.data_ptr<float>(), channels, channels,
                  {.y = whole.data_ptr<float>(), .y_strides = {4 * channels, channels}});
  winograd_output(m.data_ptr<float>(), channels, channels,
                  {.y = part.data_ptr<float>(),
                   .y_strides = {4 * channels, channels},
                   .rows = 3,
                   .columns = 2,
                   .start = start.data_ptr<float>(),
                   .residual = residual.data_ptr<float>(),
                   .residual_strides = {4 * channels, channels}});
  const auto inside = [](const Tensor& t) { return t.narrow(0, 0, 3).narrow(1, 0, 2); };
  EXPECT_LT(worst(inside(part), inside(whole + start + residual)), 1e-5);
  inside(part).fill_(7.5f);
  EXPECT_EQ(worst(part, at::full_like(part, 7.5f)), 0);
}

INSTANTIATE_TEST_SUITE_P(Channels, Winograd,
                         testing::Values(1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 21, 40));

}  // namespace
}  // namespace fokker::kernel
