#include "fokker/kernel/matrix/dense.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker::kernel {
namespace {

/// Two given values, of which the second has one row for all or one for each; a skip, a value that two others
/// receive, and a result:
///   a = tanh(W0 u + b0),  h = W1 x + b1,  z = tanh(W2 h + b2 + W3 a + b3),  y = h + W4 z + b4.
struct Example {
  static constexpr int64_t rows = 301;
  DenseGraph graph{.activation = ActivationKind::tanh,
                   .inputs = 2,
                   .values = {{3}, {5}, {7, true}, {11}, {6, true}, {11, false, 3}},
                   .edges = {}};
  std::vector<Tensor> weights, biases;
  Tensor x = Rng(1).normal({rows, 3}), u;

  explicit Example(int64_t rows_of_u) : u(Rng(2).normal({rows_of_u, 5})) {
    const std::pair<int64_t, int64_t> ends[] = {{1, 2}, {0, 3}, {3, 4}, {2, 4}, {4, 5}};
    for (const auto& [from, to] : ends) {
      const Rng rng = Rng(3).stream(weights.size());
      weights.push_back(rng.normal({graph.size_of(to), graph.size_of(from)}) * 0.5);
      biases.push_back(rng.stream("bias").normal({graph.size_of(to)}));
      graph.edges.push_back(
          {from, to, weights.back().data_ptr<float>(), graph.size_of(from), biases.back().data_ptr<float>()});
    }
  }
  std::vector<DenseInput> inputs() const {
    return {{x.data_ptr<float>(), 3}, {u.data_ptr<float>(), u.size(0) == 1 ? 0 : 5}};
  }
  /// In float64, differentiable in all it is given; `factor` is what a factor of a product becomes.
  static Tensor exact(
      const std::vector<Tensor>& w, const std::vector<Tensor>& b, const Tensor& x, const Tensor& u,
      Tensor (*factor)(const Tensor&) = [](const Tensor& v) { return v; }) {
    const auto linear = [&](int i, const Tensor& v) {
      return at::matmul(factor(v), factor(w[i]).t()) + b[i];
    };
    const Tensor a = linear(0, u).tanh(), h = linear(1, x);
    return h + linear(4, (linear(2, h) + linear(3, a)).tanh());
  }
  std::vector<Tensor> doubles(const std::vector<Tensor>& tensors) const {
    std::vector<Tensor> result;
    for (const auto& t : tensors) result.push_back(t.to(at::kDouble).set_requires_grad(true));
    return result;
  }
  /// Gradients of sum(g y) from the tape: weights, biases, x, and u with a row for each.
  std::vector<Tensor> backward(const Tensor& g, DenseTape& tape) const {
    std::vector<Tensor> got = weights;
    got.insert(got.end(), biases.begin(), biases.end());
    got.push_back(x);
    got.push_back(at::empty({rows, 5}));
    for (auto& t : got) t = at::full(t.sizes(), 7, at::kFloat);  // to be overwritten
    DenseGradients out;
    for (size_t i = 0; i < 5; ++i)
      out.edges.push_back({got[i].data_ptr<float>(), got[5 + i].data_ptr<float>()});
    out.inputs = {{got[10].data_ptr<float>(), 3}, {got[11].data_ptr<float>(), 5}};
    dense_backward(graph, inputs(), rows, {g.data_ptr<float>(), 11}, tape, out);
    if (u.size(0) == 1) got[11] = got[11].sum(0, true);
    return got;
  }
};

/// Rounded to bfloat16, with the gradient of what was rounded.
Tensor as_bf16(const Tensor& x) {
  return x + (x.to(at::kFloat).to(at::kBFloat16).to(at::kDouble) - x).detach();
}

double rms(const Tensor& x) {
  return x.square().mean().sqrt().item<double>();
}

class Dense : public testing::TestWithParam<int64_t> {};

TEST_P(Dense, ValuesAndGradientsAreThoseOfTheEquations) {
  const Example e(GetParam());
  const auto w = e.doubles(e.weights), b = e.doubles(e.biases), in = e.doubles({e.x, e.u});
  const Tensor exact = Example::exact(w, b, in[0], in[1]);
  Tensor y = at::empty({e.rows, 11});
  DenseTape tape;
  tape.weights.pack(e.graph, DenseWeights::Use::both);
  dense_forward(e.graph, tape.weights, e.inputs(), e.rows, {y.data_ptr<float>(), 11});
  EXPECT_LT(relative_difference(y, exact.detach()), 1e-6);
  y.zero_();
  dense_forward(e.graph, e.inputs(), e.rows, {y.data_ptr<float>(), 11}, tape);
  EXPECT_LT(relative_difference(y, exact.detach()), 1e-6);

  const Tensor g = Rng(9).normal({e.rows, 11});
  std::vector<Tensor> leaves = w;
  leaves.insert(leaves.end(), b.begin(), b.end());
  leaves.insert(leaves.end(), in.begin(), in.end());
  const auto expected = gradients((exact * g).sum(), leaves, false);
  const auto got = e.backward(g, tape);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_LT(relative_difference(got[i], expected[i]), 3e-6) << i;
}

// What float32 rounds otherwise in the last place may go to the other neighbour in bfloat16, 2^-8 away: few
// do, so that the whole is as near as that times the root of their part.
TEST_P(Dense, RoundsItsFactorsAndNothingElse) {
  const Example e(GetParam());
  const auto w = e.doubles(e.weights), b = e.doubles(e.biases), in = e.doubles({e.x, e.u});
  const Tensor exact = Example::exact(w, b, in[0], in[1], as_bf16);
  const Tensor plain = Example::exact(w, b, in[0], in[1]).detach(), g = Rng(9).normal({e.rows, 11});
  DenseTape tape;
  tape.weights.pack(e.graph, DenseWeights::Use::both, FactorPrecision::bfloat16);
  Tensor y = at::empty({e.rows, 11}), recorded = at::empty({e.rows, 11});
  dense_forward(e.graph, tape.weights, e.inputs(), e.rows, {y.data_ptr<float>(), 11});
  dense_forward(e.graph, e.inputs(), e.rows, {recorded.data_ptr<float>(), 11}, tape);
  const double rounding = rms(plain - exact.detach());
  for (const Tensor& result : {y, recorded}) EXPECT_LT(rms(result - exact.detach()), 0.1 * rounding);

  std::vector<Tensor> leaves = w;
  leaves.insert(leaves.end(), b.begin(), b.end());
  leaves.insert(leaves.end(), in.begin(), in.end());
  const auto expected = gradients((exact * g).sum(), leaves, false);
  const auto got = e.backward(g, tape);
  // The gradient that comes back is a factor too, which as_bf16 does not round.
  for (size_t i = 0; i < got.size(); ++i) EXPECT_LT(rms(got[i] - expected[i]), 4e-3 * rms(expected[i])) << i;
}

// h = W0 x, y = h + W1 h, r = W2 y: the value that y is added to is also a factor of it.
TEST(DenseGraphs, AnEdgeMayComeFromTheSkip) {
  constexpr int64_t rows = 150, width = 40;
  const Tensor w0 = Rng(1).normal({width, 3}), w1 = Rng(2).normal({width, width}),
               w2 = Rng(3).normal({2, width});
  const Tensor x = Rng(4).normal({rows, 3});
  DenseGraph graph{.inputs = 1, .values = {{3}, {width}, {width, false, 1}, {2}}, .edges = {}};
  graph.edges = {{0, 1, w0.data_ptr<float>(), 3},
                 {1, 2, w1.data_ptr<float>(), width},
                 {2, 3, w2.data_ptr<float>(), width}};
  DenseTape tape;
  tape.weights.pack(graph, DenseWeights::Use::both);
  Tensor y = at::empty({rows, 2}), recorded = at::empty({rows, 2});
  const std::vector<DenseInput> inputs = {{x.data_ptr<float>(), 3}};
  dense_forward(graph, tape.weights, inputs, rows, {y.data_ptr<float>(), 2});
  dense_forward(graph, inputs, rows, {recorded.data_ptr<float>(), 2}, tape);
  const auto exact = [](const Tensor& t) { return t.to(at::kDouble); };
  const Tensor h = at::matmul(exact(x), exact(w0).t());
  const Tensor expected = at::matmul(h + at::matmul(h, exact(w1).t()), exact(w2).t());
  EXPECT_LT(relative_difference(y, expected), 1e-6);
  EXPECT_LT(relative_difference(recorded, expected), 1e-6);
}

/// One layer of y = W x + b on rows that are alike, for which one long float32 sum is off by its number of
/// terms.
struct LongSum {
  static constexpr int64_t rows = 300'003;
  Tensor x = at::full({rows, 3}, 0.1f) + 1e-3f * Rng(1).normal({rows, 3});
  Tensor g = at::full({rows, 2}, 0.7f) + 1e-3f * Rng(2).normal({rows, 2});
  Tensor weight = Rng(3).normal({2, 3}), bias = at::zeros({2});
  Tensor to_weight = at::full({2, 3}, 7.0f), to_bias = at::full({2}, 7.0f);

  void run() {
    DenseGraph graph{.inputs = 1, .values = {{3}, {2}}, .edges = {}};
    graph.edges = {{0, 1, weight.data_ptr<float>(), 3, bias.data_ptr<float>()}};
    const std::vector<DenseInput> inputs = {{x.data_ptr<float>(), 3}};
    DenseTape tape;
    tape.weights.pack(graph, DenseWeights::Use::both);
    dense_backward(graph, inputs, rows, {g.data_ptr<float>(), 2}, tape,
                   {.edges = {{to_weight.data_ptr<float>(), to_bias.data_ptr<float>()}}, .inputs = {{}}});
  }
};

TEST(DenseGradients, OfManyRowsKeepTheirDigits) {
  LongSum sum;
  sum.run();
  const Tensor g = sum.g.to(at::kDouble);
  EXPECT_LT(relative_difference(sum.to_bias, g.sum(0)), 3e-6);
  EXPECT_LT(relative_difference(sum.to_weight, at::matmul(g.t(), sum.x.to(at::kDouble))), 3e-6);
  const Tensor weight = sum.to_weight.clone(), bias = sum.to_bias.clone();
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 3 : 1);
  sum.run();
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(sum.to_weight, weight));
  EXPECT_TRUE(at::equal(sum.to_bias, bias));
}

/// Three values in a row, of weights that are zero.
class ThreeValues : public testing::Test {
 protected:
  DenseEdge edge(int64_t from, int64_t to, int64_t stride) const {
    return {from, to, w.data_ptr<float>(), stride};
  }
  Tensor w = at::zeros({5, 5});
  DenseGraph good{.inputs = 1, .values = {{3}, {5}, {2}}, .edges = {edge(0, 1, 3), edge(1, 2, 5)}};
};

TEST_F(ThreeValues, RefuseWhatDoesNotFitTogether) {
  good.validate();
  const auto changed = [&](auto change) {
    return [this, change] {
      DenseGraph graph = good;
      change(graph);
      graph.validate();
    };
  };
  EXPECT_THAT(changed([](DenseGraph& g) { g.values[2].skip = 1; }), message("of its size 2"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.values[1].skip = 2; }), message("earlier value"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.values[2].activated = true; }), message("a result that is not"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.values[0].activated = true; }), message("given value 0"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.values[1].size = 0; }), message("size > 0"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.inputs = 3; }), message("given values and more"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.edges[1].from = 3; }), message("from 3 to 2"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.edges[1].stride = 4; }), message("at least 5 numbers"));
  EXPECT_THAT(changed([](DenseGraph& g) { g.edges.pop_back(); }), message("received none to 2"));
  EXPECT_THAT(changed([](DenseGraph& g) { std::swap(g.edges[0], g.edges[1]); }), message("ordered"));
  EXPECT_THAT(changed([](DenseGraph& g) {
                g.values = {{3}, {3, true}, {3, false, 1}, {2}};
                g.edges = {g.edges[0], g.edges[0], g.edges[0]};
              }),
              message("is not activated"));
}

TEST_F(ThreeValues, RefuseOtherBuffers) {
  DenseTape tape;
  const Tensor x = at::zeros({4, 3}), y = at::empty({4, 2});
  const auto forward = [&](const std::vector<DenseInput>& inputs) {
    dense_forward(good, tape.weights, inputs, 4, {y.data_ptr<float>(), 2});
  };
  const DenseInput rows = {x.data_ptr<float>(), 3};
  EXPECT_THAT([&] { forward({rows}); }, message("weights laid out"));
  tape.weights.pack(good, DenseWeights::Use::forward);
  EXPECT_THAT([&] { forward({}); }, message("1 given values but received 0"));
  EXPECT_THAT([&] { forward({{x.data_ptr<float>(), 2}}); }, message("at least 3 numbers"));
  EXPECT_THAT(
      [&] {
        dense_forward(good, {rows}, 4, {y.data_ptr<float>(), 2}, tape);
      },
      message("this graph and use"));
  tape.weights.pack(good, DenseWeights::Use::both);
  EXPECT_THAT(
      [&] {
        dense_backward(good, {rows}, 4, {y.data_ptr<float>(), 2}, tape, {});
      },
      message("places for 2 edges"));
}

INSTANTIATE_TEST_SUITE_P(RowsOfTheSecondInput, Dense, testing::Values(1, Example::rows));

}  // namespace
}  // namespace fokker::kernel
