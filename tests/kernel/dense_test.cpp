#include "fokker/kernel/dense.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fokker/core/rng.h"

namespace fokker {
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
  /// In float64, differentiable in all it is given.
  static Tensor exact(const std::vector<Tensor>& w, const std::vector<Tensor>& b, const Tensor& x,
                      const Tensor& u) {
    const auto linear = [&](int i, const Tensor& v) { return at::matmul(v, w[i].t()) + b[i]; };
    const Tensor a = linear(0, u).tanh(), h = linear(1, x);
    return h + linear(4, (linear(2, h) + linear(3, a)).tanh());
  }
  std::vector<Tensor> doubles(const std::vector<Tensor>& tensors) const {
    std::vector<Tensor> result;
    for (const auto& t : tensors) result.push_back(t.to(at::kDouble).set_requires_grad(true));
    return result;
  }
};

double worst(const Tensor& a, const Tensor& exact) {
  return (a.to(at::kDouble) - exact).abs().max().item<double>() / exact.abs().max().item<double>();
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
  EXPECT_LT(worst(y, exact.detach()), 1e-6);
  y.zero_();
  dense_forward(e.graph, e.inputs(), e.rows, {y.data_ptr<float>(), 11}, tape);
  EXPECT_LT(worst(y, exact.detach()), 1e-6);

  const Tensor g = Rng(9).normal({e.rows, 11});
  std::vector<Tensor> leaves = w, got;
  leaves.insert(leaves.end(), b.begin(), b.end());
  leaves.insert(leaves.end(), in.begin(), in.end());
  const auto expected = gradients((exact * g).sum(), leaves, false);
  for (const auto& leaf : leaves) got.push_back(at::full(leaf.sizes(), 7, at::kFloat));
  got.back() = at::empty({e.rows, 5});
  DenseGradients out;
  for (size_t i = 0; i < 5; ++i)
    out.edges.push_back({got[i].data_ptr<float>(), got[5 + i].data_ptr<float>()});
  out.inputs = {{got[10].data_ptr<float>(), 3}, {got[11].data_ptr<float>(), 5}};
  dense_backward(e.graph, e.inputs(), e.rows, {g.data_ptr<float>(), 11}, tape, out);
  if (GetParam() == 1) got[11] = got[11].sum(0, true);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_LT(worst(got[i], expected[i]), 3e-6) << i;
}

INSTANTIATE_TEST_SUITE_P(RowsOfTheSecondInput, Dense, testing::Values(1, Example::rows));

}  // namespace
}  // namespace fokker
