#include <array>
#include <set>
#include <span>

#include "fokker/core/check.h"
#include "fokker/kernel/image/padded_image.h"
#include "fokker/kernel/matrix/dense_blocks.h"
#include "fokker/kernel/vector/sums.h"

namespace fokker::kernel {
namespace {

constexpr int64_t chunk_blocks = 8;  // blocks whose gradients are kept before weights take them up
constexpr int64_t part_blocks = 4;   // blocks whose products are one float32 sum; divides a chunk
constexpr int64_t tile_height = 66;  // most rows of a weight that are one task

/// Rows of a block, and of a weight that are one task: whole tiles of the products in which each is rows or
/// depth.
constexpr int64_t backward_height(FactorPrecision precision) {
  return precision == FactorPrecision::float32 ? tile_height : 2 * bf16_depth;
}

/// One pass over a chunk of rows: gradients of the values block by block, then of the weights tile by tile.
class BackwardChunk {
 public:
  BackwardChunk(const DenseGraph& graph, const std::vector<DenseInput>& inputs, const ValueMatrices& sums,
                DenseTape& tape, const DenseGradients& out, const DenseBlocks& blocks)
      : graph_(graph),
        inputs_(inputs),
        sums_(sums),
        weights_(tape.weights),
        precision_(tape.weights.precision()),
        out_(out),
        height_(blocks.height),
        gradients_(graph, blocks.height * chunk_blocks, tape.gradients),
        factors_(graph.values.size()),
        weight_sums_((blocks.count() + part_blocks - 1) / part_blocks, weight_numbers(graph)),
        bias_sums_(graph.edges.size()) {
    int64_t total = 0;
    for (size_t v = 0; v < graph.values.size(); ++v) total += chunk_blocks * factor_size(v);
    for (const auto& edge : graph.edges) sources_.insert(static_cast<size_t>(edge.from));
    float* next = tape.factors.reserve(total);
    for (size_t v = 0; v < graph.values.size(); ++v) {
      places_.push_back(next);
      next += chunk_blocks * factor_size(v);
    }
    for (size_t e = 0; e < graph.edges.size(); ++e)
      if (out.edges[e].bias) bias_sums_[e].resize(static_cast<size_t>(graph.size_of(graph.edges[e].to)));
  }

  /// The blocks [first, first + count) of `blocks`, whose result's gradient is `gradient`.
  void run(const DenseBlocks& blocks, int64_t first, int64_t count, const MatrixRows& gradient) {
    for_each_task(count, [&](int64_t b) { values_of_block(b, blocks[first + b], gradient); });
    std::vector<Tile> tiles;
    for (size_t e = 0, offset = 0; e < graph_.edges.size(); ++e) {
      const DenseEdge& edge = graph_.edges[e];
      const int64_t height = graph_.size_of(edge.to), width = graph_.size_of(edge.from);
      const bool wanted = out_.edges[e].weight || out_.edges[e].bias;
      for (int64_t row = 0; wanted && row < height; row += backward_height(precision_))
        tiles.push_back({e, row, static_cast<int64_t>(offset) + row * width});
      offset += height * width;
    }
    const std::span<const DenseRows> rows = rows_of(blocks, first, count);
    for_each_task(static_cast<int64_t>(tiles.size()), [&](int64_t i) {
      if (out_.edges[tiles[i].edge].weight) weights_of_tile(tiles[i], rows, first);
      if (out_.edges[tiles[i].edge].bias) bias_of_tile(tiles[i], rows);
    });
  }

 private:
  struct Tile {
    size_t edge;
    int64_t row, offset;  ///< offset: among the numbers of all weights
  };

  static int64_t weight_numbers(const DenseGraph& graph) {
    int64_t total = 0;
    for (const auto& edge : graph.edges) total += graph.size_of(edge.from) * graph.size_of(edge.to);
    return total;
  }

  int64_t factor_size(size_t value) const {
    return packed_factor_size(precision_, height_, graph_.values[value].size);
  }

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
    factors_[value][block] = pack_factor(precision_, {seen.data, seen.stride, 1}, rows.count, size,
                                         places_[value] + block * factor_size(value));
  }

  /// Rows of one weight's gradient: sums over all blocks, in their order.
  void weights_of_tile(const Tile& tile, std::span<const DenseRows> blocks, int64_t first) {
    const DenseEdge& edge = graph_.edges[tile.edge];
    const auto [from, to] = std::pair<size_t, size_t>(edge.from, edge.to);
    const int64_t rows = tile_rows(tile), columns = graph_.values[from].size;
    float* const weight = out_.edges[tile.edge].weight + tile.row * edge.stride;
    for (size_t begin = 0; begin < blocks.size(); begin += part_blocks) {
      const int64_t part = (first + static_cast<int64_t>(begin)) / part_blocks;
      const bool begins = SumOfParts::begins(part);
      float* sum = begins ? weight : scratch(Scratch::own, rows * columns);
      for (size_t b = begin; b < std::min(blocks.size(), begin + part_blocks); ++b) {
        const auto block = static_cast<int64_t>(b);
        const MatrixRows gradient = gradients_.from_row(to, block * height_);
        gemm({gradient.data + tile.row, 1, gradient.stride}, rows, factors_[from][b], {.add = b > begin}, sum,
             begins ? edge.stride : columns);
      }
      weight_sums_.add(part, sum, rows, columns, weight, edge.stride, tile.offset);
    }
  }

  void bias_of_tile(const Tile& tile, std::span<const DenseRows> blocks) {
    const int64_t rows = tile_rows(tile);
    double* total = bias_sums_[tile.edge].data() + tile.row;
    std::array<double, tile_height> sums;
    for (size_t b = 0; b < blocks.size(); ++b) {
      const MatrixRows gradient =
          gradients_.from_row(graph_.edges[tile.edge].to, static_cast<int64_t>(b) * height_);
      channel_sums(gradient.data + tile.row, blocks[b].count, gradient.stride, rows, sums.data());
      for (int64_t k = 0; k < rows; ++k) total[k] += sums[k];
    }
    for (int64_t k = 0; k < rows; ++k)
      out_.edges[tile.edge].bias[tile.row + k] = static_cast<float>(total[k]);
  }

  int64_t tile_rows(const Tile& tile) const {
    return std::min(backward_height(precision_), graph_.size_of(graph_.edges[tile.edge].to) - tile.row);
  }

  const DenseGraph& graph_;
  const std::vector<DenseInput>& inputs_;
  const ValueMatrices& sums_;
  const DenseWeights& weights_;
  FactorPrecision precision_;
  const DenseGradients& out_;
  int64_t height_;
  ValueMatrices gradients_;
  std::vector<float*> places_;  ///< of each value's factors
  std::vector<std::array<PackedFactor, chunk_blocks>> factors_;
  std::set<size_t> sources_;  ///< values with edges
  std::array<DenseRows, chunk_blocks> rows_;
  SumOfParts weight_sums_;
  std::vector<std::vector<double>> bias_sums_;  ///< of each edge whose bias's gradient is wanted
};

}  // namespace

void dense_backward(const DenseGraph& graph, const std::vector<DenseInput>& inputs, int64_t rows,
                    const MatrixRows& gradient, DenseTape& tape, const DenseGradients& out) {
  graph.validate();
  tape.weights.validate(graph, DenseWeights::Use::both);
  check_inputs(graph, inputs);
  check(out.edges.size() == graph.edges.size() && out.inputs.size() == inputs.size(),
        "dense_backward: expected places for {} edges and {} inputs but received {} and {}",
        graph.edges.size(), inputs.size(), out.edges.size(), out.inputs.size());
  const ValueMatrices sums(graph, rows, tape.sums);
  // The blocks are the same for any number of threads: their order is the order of the sums.
  const FactorPrecision precision = tape.weights.precision();
  const DenseBlocks blocks(rows, backward_height(precision), rows_together(precision), 1);
  BackwardChunk chunk(graph, inputs, sums, tape, out, blocks);
  for (int64_t first = 0; first < blocks.count(); first += chunk_blocks)
    chunk.run(blocks, first, std::min(chunk_blocks, blocks.count() - first), gradient);
}

}  // namespace fokker::kernel
