#include "fokker/core/check.h"
#include "fokker/kernel/matrix/dense_blocks.h"

namespace fokker::kernel {
namespace {

void check_value(const DenseGraph& graph, int64_t v) {
  const DenseValue& value = graph.values[static_cast<size_t>(v)];
  check(value.size > 0, "DenseGraph: expected value {} of a size > 0 but received {}", v, value.size);
  if (v < graph.inputs) {
    check(!value.activated && value.skip < 0,
          "DenseGraph: expected given value {} without activation or skip", v);
    return;
  }
  check(v + 1 < static_cast<int64_t>(graph.values.size()) || !value.activated,
        "DenseGraph: expected a result that is not activated");
  if (value.skip < 0) return;
  check(
      value.skip < v && graph.size_of(value.skip) == value.size &&
          !graph.values[static_cast<size_t>(value.skip)].activated,
      "DenseGraph: expected the skip of value {} to be an earlier value of its size {} that is not activated "
      "but received {}",
      v, value.size, value.skip);
}

}  // namespace

void DenseGraph::validate() const {
  const auto count = static_cast<int64_t>(values.size());
  check(inputs > 0 && count > inputs, "DenseGraph: expected given values and more but received {} of {}",
        inputs, count);
  for (int64_t v = 0; v < count; ++v) check_value(*this, v);
  int64_t reached = inputs - 1;
  for (const auto& edge : edges) {
    check(edge.from >= 0 && edge.from < edge.to && edge.to < count,
          "DenseGraph: expected edges from earlier to later of {} values but received one from {} to {}",
          count, edge.from, edge.to);
    check(edge.to == reached || edge.to == reached + 1,
          "DenseGraph: expected edges ordered by where they lead, and some to each value, but received {} "
          "after {}",
          edge.to, reached);
    check(edge.to >= inputs && edge.stride >= size_of(edge.from),
          "DenseGraph: expected rows of at least {} numbers to value {}, which is not given, but received {}",
          size_of(edge.from), edge.to, edge.stride);
    reached = edge.to;
  }
  check(reached == count - 1, "DenseGraph: expected edges to each of {} values but received none to {}",
        count, reached + 1);
}

void DenseWeights::validate(const DenseGraph& graph, Use use) const {
  const size_t backward = use == Use::both ? graph.edges.size() : backward_.size();
  bool fit = forward_.size() == graph.edges.size() && backward_.size() == backward &&
             biases_.size() == graph.values.size();
  for (size_t e = 0; fit && e < forward_.size(); ++e)
    fit = forward_[e].rows() == graph.size_of(graph.edges[e].from) &&
          forward_[e].columns() == graph.size_of(graph.edges[e].to);
  check(fit, "dense: expected weights laid out for this graph and use");
}

void check_inputs(const DenseGraph& graph, const std::vector<DenseInput>& inputs) {
  check(static_cast<int64_t>(inputs.size()) == graph.inputs,
        "dense: expected {} given values but received {}", graph.inputs, inputs.size());
  for (size_t v = 0; v < inputs.size(); ++v)
    check(inputs[v].data && (inputs[v].stride == 0 || inputs[v].stride >= graph.values[v].size),
          "dense: expected given value {} in rows of at least {} numbers, or one row, but received {}", v,
          graph.values[v].size, inputs[v].stride);
}

}  // namespace fokker::kernel
