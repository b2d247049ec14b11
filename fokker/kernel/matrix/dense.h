#pragma once
#include <vector>

#include "fokker/kernel/matrix/factor.h"
#include "fokker/kernel/vector/activation.h"
#include "fokker/kernel/vector/scratch.h"

namespace fokker::kernel {

// Fully connected networks on rows of float32 numbers, as graphs of values in topological order,
//   value = f(skip + sum over the edges that enter it of (W from + b)),  f: the activation, or nothing.
// One thread takes a block of rows through all layers, so that what lies between them stays in its cache. A
// row's result depends neither on the block nor on the number of threads, and gradients do not on the latter.
// Their sums over rows run in parts of fixed size (sums.h). A graph or inputs that do not fit together are an
// argument error.

struct DenseValue {
  int64_t size = 0;
  bool activated = false;
  int64_t skip = -1;  ///< an earlier value of the same size that is not activated; -1: none
};

struct DenseEdge {
  int64_t from = 0, to = 0;
  const float* weight = nullptr;  ///< (size of to, size of from), rows `stride` apart
  int64_t stride = 0;
  const float* bias = nullptr;  ///< (size of to), or null
};

/// The first `inputs` values are given and the last, not activated, is the result; edges are ordered by where
/// they lead, and every value that is not given has one.
struct DenseGraph {
  ActivationKind activation = ActivationKind::silu;
  int64_t inputs = 0;
  std::vector<DenseValue> values;
  std::vector<DenseEdge> edges;

  int64_t size_of(int64_t value) const { return values[static_cast<size_t>(value)].size; }
  /// Argument error where the graph is not as described.
  void validate() const;
};

/// A given value: rows `stride` apart; 0 means one row for all.
struct DenseInput {
  const float* data = nullptr;
  int64_t stride = 0;
};

/// A copy of the weights of a graph, laid out for products.
class DenseWeights {
 public:
  enum class Use { forward, both };
  /// Lays out the weights as they are now, in memory that is kept from call to call. All products of the
  /// graph, gradients' too, then take factors of that precision.
  void pack(const DenseGraph& graph, Use use, FactorPrecision precision = FactorPrecision::float32);
  /// Argument error where these are not laid out for that graph and use.
  void validate(const DenseGraph& graph, Use use) const;
  FactorPrecision precision() const { return precision_; }
  const PackedFactor& forward(size_t edge) const { return forward_[edge]; }
  const PackedFactor& backward(size_t edge) const { return backward_[edge]; }
  /// The sum of the biases of all edges into a value.
  const std::vector<float>& bias(int64_t value) const { return biases_[static_cast<size_t>(value)]; }

 private:
  FactorPrecision precision_ = FactorPrecision::float32;
  Buffer numbers_;
  std::vector<PackedFactor> forward_, backward_;
  std::vector<std::vector<float>> biases_;
};

/// What a forward pass leaves for the backward pass, and memory for both.
struct DenseTape {
  DenseWeights weights;
  Buffer sums;  ///< each value before its activation
  Buffer gradients, factors;
};

/// The result for `rows` rows of inputs. What depends only on inputs of one row is computed once.
void dense_forward(const DenseGraph& graph, const DenseWeights& weights,
                   const std::vector<DenseInput>& inputs, int64_t rows, const MatrixRows& result);

/// The same, keeping on the tape what gradients need. The tape's weights must have been packed for both uses.
void dense_forward(const DenseGraph& graph, const std::vector<DenseInput>& inputs, int64_t rows,
                   const MatrixRows& result, DenseTape& tape);

/// Where gradients go; null where they are not wanted.
struct DenseGradients {
  struct Edge {
    float* weight = nullptr;  ///< laid out as the edge's own
    float* bias = nullptr;
  };
  std::vector<Edge> edges;
  std::vector<MatrixRows> inputs;  ///< one row for each row, also of inputs of one row
};

/// Gradients of sum(gradient * result), from the tape of the forward pass with the same inputs.
void dense_backward(const DenseGraph& graph, const std::vector<DenseInput>& inputs, int64_t rows,
                    const MatrixRows& gradient, DenseTape& tape, const DenseGradients& out);

}  // namespace fokker::kernel
