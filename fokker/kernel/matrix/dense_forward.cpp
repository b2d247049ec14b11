#include "fokker/kernel/matrix/dense_blocks.h"

namespace fokker::kernel {
namespace {

/// Rows that go through all layers together: two values of a usual width fit the second cache.
DenseBlocks forward_blocks(int64_t rows, FactorPrecision precision) {
  const int64_t most = precision == FactorPrecision::float32 ? 120 : 128;
  return {rows, most, rows_together(precision), at::get_num_threads()};
}

/// Where the values of one block of rows are: before the activation, and as others see them.
struct DensePlaces {
  std::vector<MatrixRows> sums, seen;

  explicit DensePlaces(size_t values) : sums(values), seen(values) {}
};

/// Places in memory for one block that values share which are not needed at the same time.
class SharedPlaces {
 public:
  /// `wanted(v)`: value v needs a place. A value may take over the place of its skip where `in_place`.
  template <typename Wanted>
  SharedPlaces(const DenseGraph& graph, bool in_place, Wanted wanted) : offset_(graph.values.size(), -1) {
    std::vector<size_t> last(graph.values.size(), graph.values.size());
    for (const auto& edge : graph.edges) last[edge.from] = edge.to;
    for (size_t v = 0; v < graph.values.size(); ++v)
      if (graph.values[v].skip >= 0) {
        size_t& end = last[graph.values[v].skip];
        end = end == graph.values.size() ? v : std::max(end, v);
      }
    for (size_t v = graph.inputs; v < graph.values.size(); ++v) {
      const int64_t skip = graph.values[v].skip;
      if (wanted(v)) {
        const bool take_over =
            in_place && skip >= 0 && offset_[skip] >= 0 && last[skip] == v && !reads(graph, v, skip);
        offset_[v] = take_over ? offset_[skip] : take(graph.values[v].size);
        if (take_over) last[skip] = graph.values.size();
      }
      for (size_t u = graph.inputs; u < v; ++u)
        if (last[u] == v && offset_[u] >= 0) free_.push_back({graph.values[u].size, offset_[u]});
    }
  }
  int64_t width() const { return width_; }
  int64_t offset(size_t value) const { return offset_[value]; }

 private:
  struct Place {
    int64_t size, offset;
  };
  /// Whether an edge leads from one value to the other, which then needs it beside its own place.
  static bool reads(const DenseGraph& graph, size_t value, int64_t from) {
    return std::any_of(graph.edges.begin(), graph.edges.end(), [&](const DenseEdge& edge) {
      return edge.from == from && edge.to == static_cast<int64_t>(value);
    });
  }
  int64_t take(int64_t size) {
    for (auto place = free_.begin(); place != free_.end(); ++place)
      if (place->size == size) {
        const int64_t offset = place->offset;
        free_.erase(place);
        return offset;
      }
    return std::exchange(width_, width_ + dense_stride(size));
  }
  std::vector<int64_t> offset_;
  std::vector<Place> free_;
  int64_t width_ = 0;
};

/// to = from + bias on (rows, size).
void add_bias(const MatrixRows& from, const float* bias, int64_t rows, int64_t size, const MatrixRows& to) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* in = from.row(i);
    float* out = to.row(i);
    for (int64_t k = 0; k < size; ++k) out[k] = in[k] + bias[k];
  }
}

/// Carries a block of rows through the values [graph.inputs, end) that `takes_part`; `bias(v)` is what a
/// value's sum starts from, beside its skip.
template <typename TakesPart, typename Bias>
void forward_block(const DenseGraph& graph, const DenseWeights& weights, int64_t rows,
                   const DensePlaces& places, TakesPart takes_part, Bias bias) {
  size_t e = 0;
  for (size_t v = graph.inputs; v < graph.values.size(); ++v) {
    const DenseValue& value = graph.values[v];
    const MatrixRows& sum = places.sums[v];
    bool started = value.skip >= 0 && takes_part(v);
    if (started) add_bias(places.sums[value.skip], bias(v), rows, value.size, sum);
    for (; e < graph.edges.size() && graph.edges[e].to == static_cast<int64_t>(v); ++e) {
      const auto from = static_cast<size_t>(graph.edges[e].from);
      if (!takes_part(v) || !takes_part(from)) continue;
      const MatrixRows& left = places.seen[from];
      gemm({left.data, left.stride, 1}, rows, weights.forward(e),
           {.bias = started ? nullptr : bias(v), .add = started}, sum.data, sum.stride);
      started = true;
    }
    if (!started && takes_part(v))
      for (int64_t i = 0; i < rows; ++i) std::copy_n(bias(v), value.size, sum.row(i));
    if (value.activated && takes_part(v)) activate(graph.activation, sum, rows, value.size, places.seen[v]);
  }
}

void place_inputs(const std::vector<DenseInput>& inputs, int64_t first_row, DensePlaces& places) {
  for (size_t v = 0; v < inputs.size(); ++v) {
    // Only read.
    auto* data = const_cast<float*>(inputs[v].data) + first_row * inputs[v].stride;
    places.sums[v] = places.seen[v] = {data, inputs[v].stride};
  }
}

/// Carries all rows through the graph, a block at a time, threads sharing the blocks. `place(v, first row of
/// the block, place in cache or null, places)` says where a value that is not given is.
template <typename Place, typename TakesPart, typename Bias>
void forward_rows(const DenseGraph& graph, const DenseWeights& weights, const std::vector<DenseInput>& inputs,
                  int64_t rows, const SharedPlaces& layout, Place place, TakesPart takes_part, Bias bias) {
  const DenseBlocks blocks = forward_blocks(rows, weights.precision());
  for_each_task(blocks.count(), [&](int64_t b) {
    const auto [first, count] = blocks[b];
    float* memory = scratch(Scratch::own, layout.width() * blocks.height);
    DensePlaces places(graph.values.size());
    place_inputs(inputs, first, places);
    for (size_t v = graph.inputs; v < graph.values.size(); ++v) {
      MatrixRows in_cache;
      if (layout.offset(v) >= 0)
        in_cache = {memory + layout.offset(v) * blocks.height, dense_stride(graph.values[v].size)};
      place(v, first, in_cache, places);
    }
    forward_block(graph, weights, count, places, takes_part, bias);
  });
}

/// What is the same for all rows: values that depend on inputs of one row alone, and what they add to others.
class SharedPart {
 public:
  SharedPart(const DenseGraph& graph, const DenseWeights& weights, const std::vector<DenseInput>& inputs)
      : shared_(graph.values.size(), true), places_(graph.values.size()), start_(graph.values.size()) {
    for (size_t v = 0; v < inputs.size(); ++v) shared_[v] = inputs[v].stride == 0;
    for (size_t v = inputs.size(); v < graph.values.size(); ++v)
      if (graph.values[v].skip >= 0 && !shared_[graph.values[v].skip]) shared_[v] = false;
    for (const auto& edge : graph.edges)
      if (!shared_[edge.from]) shared_[edge.to] = false;
    shared_.back() = false;  // the result has a row for each
    evaluate(graph, weights, inputs);
  }
  bool is_shared(size_t value) const { return shared_[value]; }
  const MatrixRows& place(size_t value) const { return places_.sums[value]; }
  /// The bias of a value and all that it receives from shared ones.
  const float* start(size_t value) const { return start_[value].data(); }

 private:
  void evaluate(const DenseGraph& graph, const DenseWeights& weights, const std::vector<DenseInput>& inputs) {
    place_inputs(inputs, 0, places_);
    for (size_t v = 0; v < graph.values.size(); ++v) {
      start_[v] = weights.bias(static_cast<int64_t>(v));
      if (v < inputs.size() || !shared_[v]) continue;
      values_.emplace_back(graph.values[v].size);
      places_.sums[v] = places_.seen[v] = {values_.back().data(), 0};
    }
    forward_block(
        graph, weights, 1, places_, [&](size_t v) { return is_shared(v); },
        [&](size_t v) { return start_[v].data(); });
    for (size_t e = 0; e < graph.edges.size(); ++e) {
      const auto [from, to] = std::pair(graph.edges[e].from, graph.edges[e].to);
      if (shared_[from] && !shared_[to])
        gemm({places_.seen[from].data, 0, 1}, 1, weights.forward(e), {.add = true}, start_[to].data(), 0);
    }
  }
  std::vector<bool> shared_;
  DensePlaces places_;
  std::vector<std::vector<float>> start_, values_;
};

}  // namespace

void DenseWeights::pack(const DenseGraph& graph, Use use, FactorPrecision precision) {
  graph.validate();
  precision_ = precision;
  int64_t total = 0;
  std::vector<int64_t> offsets;
  for (const auto& edge : graph.edges)
    for (const bool forward : {true, false}) {
      const int64_t in = graph.size_of(edge.from), out = graph.size_of(edge.to);
      offsets.push_back(total);
      if (forward || use == Use::both)
        total += packed_factor_size(precision, forward ? in : out, forward ? out : in);
    }
  float* numbers = numbers_.reserve(total);
  forward_.resize(graph.edges.size());
  backward_.resize(use == Use::both ? graph.edges.size() : 0);
  for_each_task(static_cast<int64_t>(graph.edges.size()), [&](int64_t e) {
    const DenseEdge& edge = graph.edges[e];
    const int64_t in = graph.size_of(edge.from), out = graph.size_of(edge.to);
    forward_[e] = pack_factor(precision, {edge.weight, 1, edge.stride}, in, out, numbers + offsets[2 * e]);
    if (use == Use::both)
      backward_[e] =
          pack_factor(precision, {edge.weight, edge.stride, 1}, out, in, numbers + offsets[2 * e + 1]);
  });
  biases_.resize(graph.values.size());
  for (size_t v = 0; v < graph.values.size(); ++v)
    biases_[v].assign(static_cast<size_t>(graph.values[v].size), 0.0f);
  for (const auto& edge : graph.edges)
    for (int64_t k = 0; edge.bias && k < graph.size_of(edge.to); ++k) biases_[edge.to][k] += edge.bias[k];
}

void dense_forward(const DenseGraph& graph, const DenseWeights& weights,
                   const std::vector<DenseInput>& inputs, int64_t rows, const MatrixRows& result) {
  graph.validate();
  weights.validate(graph, DenseWeights::Use::forward);
  check_inputs(graph, inputs);
  const SharedPart shared(graph, weights, inputs);
  const size_t last = graph.values.size() - 1;
  const auto takes_part = [&](size_t v) { return !shared.is_shared(v); };
  const SharedPlaces layout(graph, true, [&](size_t v) { return takes_part(v) && v != last; });
  const auto place = [&](size_t v, int64_t first, const MatrixRows& in_cache, DensePlaces& places) {
    places.sums[v] = v == last             ? MatrixRows{result.row(first), result.stride}
                     : shared.is_shared(v) ? shared.place(v)
                                           : in_cache;
    places.seen[v] = places.sums[v];
  };
  forward_rows(graph, weights, inputs, rows, layout, place, takes_part,
               [&](size_t v) { return shared.start(v); });
}

void dense_forward(const DenseGraph& graph, const std::vector<DenseInput>& inputs, int64_t rows,
                   const MatrixRows& result, DenseTape& tape) {
  graph.validate();
  tape.weights.validate(graph, DenseWeights::Use::both);
  check_inputs(graph, inputs);
  const size_t last = graph.values.size() - 1;
  const SharedPlaces layout(graph, false, [&](size_t v) { return graph.values[v].activated; });
  const ValueMatrices sums(graph, rows, tape.sums);
  const auto place = [&](size_t v, int64_t first, const MatrixRows& in_cache, DensePlaces& places) {
    places.sums[v] = v == last ? MatrixRows{result.row(first), result.stride} : sums.from_row(v, first);
    places.seen[v] = in_cache.data ? in_cache : places.sums[v];
  };
  forward_rows(
      graph, tape.weights, inputs, rows, layout, place, [](size_t) { return true; },
      [&](size_t v) { return tape.weights.bias(static_cast<int64_t>(v)).data(); });
}

}  // namespace fokker::kernel
