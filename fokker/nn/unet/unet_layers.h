#pragma once
#include <optional>
#include <vector>

#include "fokker/nn/unet/feature_map.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/nn/unet/unet_blocks.h"

namespace fokker {

/// The layers of a UNet, which both of its forms are made of, and what they compute. Copies share the
/// parameters.
struct UNetLayers {
  /// An input of a block on the way up, `level` halvings down: channels that come from below, then those that
  /// the way down left.
  struct Join {
    size_t level;
    int64_t below, skipped;
  };

  UNetLayers(const UNetOptions& options, LayerBuilder& builder);
  /// For checked inputs; records gradients.
  Tensor operator()(const Tensor& x, const Tensor& time, const Tensor& label) const;

  /// Joins in the order in which the way down leaves its part.
  std::vector<Join> joins() const;
  /// The residual blocks in the order of the network.
  std::vector<const ResnetBlock*> blocks() const;
  /// What each block adds after its first convolution, its bias with it, one block after the other: (n,
  /// blocks' channels) from the time's embedding (n, size).
  Tensor starts(const Tensor& activated_time) const;
  /// Sides of the images inside, which the levels halve evenly.
  int64_t padded_height() const { return padded_side(options.sample_height); }
  int64_t padded_width() const { return padded_side(options.sample_width); }

  UNetOptions options;
  Convolution conv_in, conv_out;
  TimeEmbedding time;
  std::vector<Level> down;  ///< finest first
  std::vector<Level> up;    ///< coarsest first
  std::vector<ResnetBlock> middle;
  std::optional<AttentionBlock> middle_attention;
  std::optional<TokenTransformer> middle_transformer;
  GroupNorm norm_out;
  kernel::Pool<Arena> arenas;  ///< memory of passes, kept for the next

 private:
  int64_t padded_side(int64_t side) const;
  void build_embedding(LayerBuilder& builder);
  void build_down(LayerBuilder& builder, const BlockOptions& block);
  void build_middle(LayerBuilder& builder, const BlockOptions& block);
  void build_up(LayerBuilder& builder, const BlockOptions& block);
  void add_attention(LayerBuilder& builder, Level& level, const std::string& name, size_t finest,
                     bool attention, bool transformer, const BlockOptions& block) const;
  TransformerOptions transformer_options(size_t level) const;
  Tensor padded(const Tensor& x) const;
  Tensor body(Tensor h, const Tensor& activated_time, const Tensor& token) const;
  Tensor ended(const Tensor& h) const;
};

}  // namespace fokker
