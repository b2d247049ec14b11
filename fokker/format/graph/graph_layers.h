#pragma once
#include <unordered_map>

#include "fokker/format/graph/graph.h"
#include "fokker/nn/unet/unet_blocks.h"

namespace fokker {

/// Writes the layers that U-Nets are made of down, whose constants have the names of their parameters.
class GraphLayers {
 public:
  using Name = GraphBuilder::Name;

  explicit GraphLayers(GraphBuilder& graph) : graph_(graph) {}
  /// The name under which a layer's tensor is written.
  void add_name(const Tensor& tensor, const std::string& name) { names_.emplace(tensor.data_ptr(), name); }
  const std::string& name_of(const Tensor& tensor) const { return names_.at(tensor.data_ptr()); }

  Name parameter(const Tensor& tensor, const std::vector<int64_t>& shape = {});
  Name linear(const Name& x, const Linear& layer);
  Name time_layers(const Name& x, const TimeLayers& layers);
  Name convolution(const Name& x, const Convolution& layer);
  /// A layer of each pixel's channels.
  Name pixelwise(const Name& x, const Linear& layer);
  /// Groups become channels of one row, which instance normalisation standardises.
  Name normalised(const Name& x, const GroupNorm& norm);
  Name activated(const std::string& name, const Name& x);
  /// mixed_pixels of layers of an image h.
  Name mixed(const Name& h, const Linear& query_layer, const Linear& key_layer, const Linear& value_layer,
             int64_t heads);
  /// Of the channels of each pixel: instance normalisation of rows (pixels, channels), as ONNX's own came
  /// later.
  Name normalised(const Name& x, const LayerNorm& norm, int64_t pixels);
  /// Rows [first, first + count) of a layer of each pixel's channels.
  Name part_of(const Name& x, const Linear& layer, int64_t first, int64_t count, const char* what);
  Name transformer_layer(Name h, const TransformerLayer& layer, const Name& token, int64_t pixels);

 protected:
  GraphBuilder& graph_;

 private:
  std::unordered_map<const void*, std::string> names_;
};

}  // namespace fokker
