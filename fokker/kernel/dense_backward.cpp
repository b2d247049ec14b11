#include <array>
#include <set>
#include <span>

#include "fokker/core/error.h"
#include "fokker/kernel/dense_blocks.h"
#include "fokker/kernel/scratch.h"

namespace fokker {
namespace {

constexpr int64_t backward_height = 66;  // rows of a block
constexpr int64_t chunk_blocks = 8;      // blocks whose gradients are kept before weights take them up
constexpr int64_t tile_height = 66;      // rows of a weight that are one task

/// One pass over a chunk of rows: gradients of the values block by block, then of the weights tile by tile.
class BackwardChunk {
 public:
  BackwardChunk(const DenseGraph& graph, const std::vector<DenseInput>& inputs, const ValueMatrices& sums,
                DenseTape& tape, const DenseGradients& out, int64_t block_height)
      : graph_(graph),
        inputs_(inputs),
        sums_(sums),
        weights_(tape.weights),
        out_(out),
        height_(block_height),
        gradients_(graph, block_height * chunk_blocks, tape.gradients),
        factors_(graph.values.size()) {
    int64_t total = 0;
    for (size_t v = 0; v < graph.values.size(); ++v) total += chunk_blocks * factor_size(v);
    for (const auto& edge : graph.edges) sources_.insert(static_cast<size_t>(edge.from));
    float* next = tape.factors.reserve(total);
    for (size_t v = 0; v < graph.values.size(); ++v) {
      factors_[v] = next;
      next += chunk_blocks * factor_size(v);
    }
  }

  /// The blocks [first, first + count) of `blocks`, whose result's gradient is `gradient`.
  void run(const DenseBlocks& blocks, int64_t first, int64_t count, const MatrixRows& gradient) {
    for_each_task(count, [&](int64_t b) { values_of_block(b, blocks[first + b], gradient); });
    std::vector<Tile> tiles;
    for (size_t e = 0; e < graph_.edges.size(); ++e)
      for (int64_t row = 0; out_.edges[e].weight && row < graph_.size_of(graph_.edges[e].to);
           row += tile_height)
        tiles.push_back({e, row});
    const std::span<const DenseRows> rows = rows_of(blocks, first, count);
    for_each_task(static_cast<int64_t>(tiles.size()),
                  [&](int64_t i) { weights_of_tile(tiles[i], rows, first > 0); });
  }

 private:
  struct Tile {
    size_t edge;
    int64_t row;
  };

  int64_t factor_size(size_t value) const { return packed_size(height_, graph_.values[value].size); }

  std::span<const DenseRows> rows_of(const DenseBlocks& blocks, int64_t first, int64_t count) {
    for (int64_t b = 0; b < count; ++b) rows_[b] = blocks[first + b];
    return {rows_.data(), static_cast<size_t>(count)};
  }

  MatrixRows sum(size_t value, int64_t first) const {
    if (value >= inputs_.size()) return sums_.from_row(value, first);
    // Only read.
    return {const_cast<float*>(inputs_[value].data) + first * inputs_[value].stride, inputs_[value].stride};
  }

  MatrixRows gradient_of(size_t value, int64_t block, const DenseRows& rows) const {
    if (value >= inputs_.size()) return gradients_.from_row(value, block * height_);
    const MatrixRows& given = out_.inputs[value];
    return given.data ? MatrixRows{given.row(rows.first), given.stride} : MatrixRows{};
  }

  /// Gradients of the values of one block, from the result back; and the values as factors of weights'
  /// gradients.
  void values_of_block(int64_t block, const DenseRows& rows, const MatrixRows& gradient) {
    std::vector<bool> begun(graph_.values.size(), false);
    copy_or_add({gradient.row(rows.first), gradient.stride}, rows.count, graph_.values.size() - 1, block,
                rows, begun);
    size_t e = graph_.edges.size();
    for (size_t v = graph_.values.size() - 1; v >= inputs_.size(); --v) {
      const DenseValue& value = graph_.values[v];
      const MatrixRows mine = gradient_of(v, block, rows);
      check(begun[v], "dense_backward: expected that something depends on value {}", v);
      if (value.activated)
        multiply_by_slope(graph_.activation, sum(v, rows.first), rows.count, value.size, mine);
      if (value.skip >= 0) copy_or_add(mine, rows.count, value.skip, block, rows, begun);
      for (; e > 0 && graph_.edges[e - 1].to == static_cast<int64_t>(v); --e) {
        const auto from = static_cast<size_t>(graph_.edges[e - 1].from);
        const MatrixRows to = gradient_of(from, block, rows);
        if (!to.data) continue;
        gemm({mine.data, mine.stride, 1}, rows.count, weights_.backward(e - 1), {.add = begun[from]}, to.data,
             to.stride);
        begun[from] = true;
      }
    }
    for (const size_t source : sources_) lay_out_factor(source, block, rows);
  }

  void copy_or_add(const MatrixRows& from, int64_t count, size_t value, int64_t block, const DenseRows& rows,
                   std::vector<bool>& begun) {
    const MatrixRows to = gradient_of(value, block, rows);
    const int64_t size = graph_.values[value].size;
    for (int64_t i = 0; to.data && i < count; ++i) {
      const float* in = from.row(i);
      float* sum = to.row(i);
      if (begun[value])
        for (int64_t k = 0; k < size; ++k) sum[k] += in[k];
      else
        std::copy_n(in, size, sum);
    }
    begun[value] = true;
  }

  void lay_out_factor(size_t value, int64_t block, const DenseRows& rows) {
    const int64_t size = graph_.values[value].size;
    MatrixRows seen = sum(value, rows.first);
    if (graph_.values[value].activated) {
      const MatrixRows activated{scratch(Scratch::own, rows.count * dense_stride(size)), dense_stride(size)};
      activate(graph_.activation, seen, rows.count, size, activated);
      seen = activated;
    }
    pack_matrix({seen.data, seen.stride, 1}, rows.count, size, factors_[value] + block * factor_size(value));
  }

  /// Rows of one weight's gradient, and of its bias's: sums over all blocks, in their order.
  void weights_of_tile(const Tile& tile, std::span<const DenseRows> blocks, bool add) const {
    const DenseEdge& edge = graph_.edges[tile.edge];
    const auto [weight, bias] = out_.edges[tile.edge];
    const auto [from, to] = std::pair<size_t, size_t>(edge.from, edge.to);
    const int64_t count = std::min(tile_height, graph_.values[to].size - tile.row);
    if (bias && !add) std::fill_n(bias + tile.row, count, 0.0f);
    for (size_t b = 0; b < blocks.size(); ++b) {
      const auto block = static_cast<int64_t>(b);
      const MatrixRows gradient = gradients_.from_row(to, block * height_);
      const float* left = gradient.data + tile.row;
      gemm({left, 1, gradient.stride}, count,
           {factors_[from] + block * factor_size(from), blocks[b].count, graph_.values[from].size},
           {.add = add || b > 0}, weight + tile.row * edge.stride, edge.stride);
      for (int64_t i = 0; bias && i < blocks[b].count; ++i)
        for (int64_t k = 0; k < count; ++k) bias[tile.row + k] += left[i * gradient.stride + k];
    }
  }

  const DenseGraph& graph_;
  const std::vector<DenseInput>& inputs_;
  const ValueMatrices& sums_;
  const DenseWeights& weights_;
  const DenseGradients& out_;
  int64_t height_;
  ValueMatrices gradients_;
  std::vector<float*> factors_;
  std::set<size_t> sources_;  ///< values with edges
  std::array<DenseRows, chunk_blocks> rows_;
};

}  // namespace

void dense_backward(const DenseGraph& graph, const std::vector<DenseInput>& inputs, int64_t rows,
                    const MatrixRows& gradient, DenseTape& tape, const DenseGradients& out) {
  const ValueMatrices sums(graph, rows, tape.sums);
  // The blocks are the same for any number of threads: their order is the order of the sums.
  const DenseBlocks blocks(rows, backward_height, 1);
  BackwardChunk chunk(graph, inputs, sums, tape, out, blocks.height);
  for (int64_t first = 0; first < blocks.count(); first += chunk_blocks)
    chunk.run(blocks, first, std::min(chunk_blocks, blocks.count() - first), gradient);
}

}  // namespace fokker
