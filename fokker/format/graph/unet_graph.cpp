#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/format/graph/graph_layers.h"
#include "fokker/format/graph/network_graph.h"
#include "fokker/nn/unet/unet_layers.h"

namespace fokker {
namespace {

using Name = GraphBuilder::Name;

/// The layers of a UNet, made again with its parameters.
class UNetGraph : private GraphLayers {
 public:
  UNetGraph(GraphBuilder& graph, const UNet& network)
      : GraphLayers(graph), layers_(network.options(), builder_) {
    const at::NoGradGuard off;
    for (const auto& [name, tensor] : builder_.take()) {
      tensor.copy_(network.parameter(name));
      add_name(tensor, name);
    }
  }

  Name operator()(const NetworkInputs& in) {
    const UNetOptions& o = layers_.options;
    Name x = o.center_input_sample ? graph_.add(graph_.scale(in.x, 2), graph_.number(-1)) : in.x;
    const int64_t right = layers_.padded_width() - o.sample_width,
                  bottom = layers_.padded_height() - o.sample_height;
    if (right > 0 || bottom > 0)
      x = graph_.add_node("Pad", {x, graph_.integers({0, 0, 0, 0, 0, 0, bottom, right})});
    if (o.token_numbers() > 0) token_ = chosen(in.label, o.label_numbers(), o.token_numbers());
    Name h = body(convolution(x, layers_.conv_in), embedding(in));
    h = convolution(activated(o.of_conditions ? o.activation : "silu", normalised(h, layers_.norm_out)),
                    layers_.conv_out);
    if (right > 0 || bottom > 0)
      h = graph_.add_node("Slice",
                          {h, graph_.integers({0, 0}), graph_.integers({o.sample_height, o.sample_width}),
                           graph_.integers({2, 3})});
    if (o.time_kind != UNetOptions::TimeKind::fourier) return h;
    return graph_.add_node("Div", {h, graph_.reshape(in.time, {-1, 1, 1, 1})});
  }

 private:
  Name time_features(const Name& t) {
    using Kind = UNetOptions::TimeKind;
    const TimeEmbedding& time = layers_.time;
    if (time.kind == Kind::learned)
      return graph_.add_node(
          "Gather", {parameter(time.table), graph_.add_node({.op = "Cast",
                                                             .inputs = {graph_.add_node("Round", {t})},
                                                             .output = {},
                                                             .numbers = {{"to", 7}}})});
    if (time.kind == Kind::positional)
      return add_sinusoids(graph_, t, sinusoidal_frequencies(time.features, time.sinusoidal, at::kDouble),
                           time.features, time.sinusoidal.flip_sin_to_cos);
    const Tensor frequencies = time.table.detach().to(at::kDouble) * (2 * std::numbers::pi);
    return add_sinusoids(graph_, graph_.add_node("Log", {t}), frequencies, time.features, false);
  }

  /// Columns of what rows are told (n, k + 1), whose last says that there is nothing.
  Name chosen(const Name& told, int64_t first, int64_t count) {
    const Tensor choice = at::eye(layers_.options.condition_numbers() + 1).narrow(1, first, count);
    return graph_.add_node(
        "MatMul", {told, graph_.constant(fmt::format("columns.{}.{}", first, count), choice.contiguous())});
  }

  /// With the row that stands for no class at the end, where -1 finds it.
  Name classes(const Name& label) {
    const ClassEmbedding& embedding = layers_.time.classes;
    const int64_t none = embedding.unconditional_row, rows = embedding.weight.size(0);
    if (!embedding.unconditional || none < 0 || none + 1 == rows)
      return graph_.add_node("Gather", {parameter(embedding.weight), label});
    const Tensor& weight = embedding.weight;
    const Tensor ordered = at::cat(
        {weight.narrow(0, 0, none), weight.narrow(0, none + 1, rows - none - 1), weight.narrow(0, none, 1)});
    return graph_.add_node("Gather", {graph_.constant(name_of(weight) + ".ordered", ordered), label});
  }

  Name of_label(const Name& label) {
    const TimeEmbedding& time = layers_.time;
    const Name told = chosen(label, 0, layers_.options.label_numbers());
    if (time.number) return time_layers(time_features(graph_.reshape(told, {-1})), *time.number);
    if (time.projection) return time_layers(told, *time.projection);
    return time.linear ? linear(told, *time.linear) : told;
  }

  Name embedding(const NetworkInputs& in) {
    const TimeEmbedding& time = layers_.time;
    Name h = time_layers(time_features(in.time), time.layers);
    if (time.classes.defined()) h = graph_.add(h, classes(in.label));
    if (time.condition.defined()) h = graph_.add(h, linear(in.label, time.condition.layer));
    if (layers_.options.label_numbers() > 0) h = graph_.add(h, of_label(in.label));
    return activated(time.activation, h);
  }

  Name resampled(const Name& x, ResnetBlock::Resampling resampling) {
    if (resampling == ResnetBlock::Resampling::none) return x;
    if (resampling == ResnetBlock::Resampling::up) return upsampled(x);
    return graph_.add_node({.op = "AveragePool",
                            .inputs = {x},
                            .output = {},
                            .integers = {{"kernel_shape", {2, 2}}, {"strides", {2, 2}}}});
  }

  /// Rows [first, first + count) of what the time says to a block, for each of its pixels.
  Name told(const Name& time, const Linear& layer, int64_t first, int64_t count, const char* what) {
    std::string name = name_of(layer.weight);
    name.resize(name.size() - std::string_view(".weight").size());
    const Name rows = graph_.linear(time, name + what, layer.weight.narrow(0, first, count),
                                    layer.bias.narrow(0, first, count));
    return graph_.reshape(rows, {0, -1, 1, 1});
  }

  Name resnet(const Name& x, const ResnetBlock& block, const Name& time) {
    const int64_t channels = block.outputs();
    const Name entered = resampled(activated(block.activation, normalised(x, block.norm1)), block.resampling);
    Name h = convolution(entered, block.conv1);
    if (block.scale_shift) {
      const Name scale = graph_.add(told(time, block.time, 0, channels, ".scale"), graph_.number(1));
      h = graph_.add(graph_.multiply(normalised(h, block.norm2), scale),
                     told(time, block.time, channels, channels, ".shift"));
    } else {
      h = normalised(graph_.add(h, told(time, block.time, 0, channels, "")), block.norm2);
    }
    h = convolution(activated(block.activation, h), block.conv2);
    const Name skip = resampled(x, block.resampling);
    const Name carried = block.shortcut ? convolution(skip, *block.shortcut) : skip;
    return graph_.scale(graph_.add(h, carried), 1 / block.output_scale);
  }

  Name attention(const Name& x, const AttentionBlock& block) {
    const Name h = block.norm.weight.defined() ? normalised(x, block.norm) : x;
    const Name image = mixed(h, block.query, block.key, block.value, block.heads);
    return graph_.scale(graph_.add(pixelwise(image, block.out), x), 1 / block.output_scale);
  }

  Name transformer(const Name& x, const TokenTransformer& block, size_t level) {
    const int64_t pixels = (layers_.padded_height() >> level) * (layers_.padded_width() >> level);
    Name h = pixelwise(normalised(x, block.norm), block.ahead);
    for (const TransformerLayer& layer : block.layers) h = transformer_layer(h, layer, token_, pixels);
    return graph_.add(x, pixelwise(h, block.after));
  }

  Name upsampled(const Name& x) {
    const Name scales = graph_.constant("scales", at::tensor({1.0F, 1.0F, 2.0F, 2.0F}));
    return graph_.add_node({.op = "Resize",
                            .inputs = {x, "", scales},
                            .output = {},
                            .texts = {{"mode", "nearest"},
                                      {"coordinate_transformation_mode", "asymmetric"},
                                      {"nearest_mode", "floor"}}});
  }

  /// `depth` halvings down.
  Name at_place(const Level& level, size_t depth, size_t j, const Name& x, const Name& time) {
    const Name h = resnet(x, level.resnets[j], time);
    if (!level.attentions.empty()) return attention(h, level.attentions[j]);
    return level.transformers.empty() ? h : transformer(h, level.transformers[j], depth);
  }

  Name body(Name h, const Name& time) {
    std::vector<Name> skips = {h};
    const size_t levels = layers_.down.size();
    for (size_t i = 0; i < levels; ++i) {
      const Level& level = layers_.down[i];
      for (size_t j = 0; j < level.resnets.size(); ++j) skips.push_back(h = at_place(level, i, j, h, time));
      if (level.down) skips.push_back(h = convolution(h, level.down->conv));
      if (level.residual) skips.push_back(h = resnet(h, *level.residual, time));
    }
    for (size_t j = 0; j < layers_.middle.size(); ++j) {
      h = resnet(h, layers_.middle[j], time);
      if (j == 0 && layers_.middle_attention) h = attention(h, *layers_.middle_attention);
      if (j == 0 && layers_.middle_transformer) h = transformer(h, *layers_.middle_transformer, levels - 1);
    }
    for (size_t i = 0; i < levels; ++i) {
      const Level& level = layers_.up[i];
      for (size_t j = 0; j < level.resnets.size(); ++j) {
        h = at_place(level, levels - 1 - i, j, graph_.concatenate({h, skips.back()}, 1), time);
        skips.pop_back();
      }
      if (level.up) h = convolution(upsampled(h), level.up->conv);
      if (level.residual) h = resnet(h, *level.residual, time);
    }
    return h;
  }

  Name token_;  ///< (n, size), where transformers attend to one
  LayerBuilder builder_{0};
  UNetLayers layers_;
};

}  // namespace

Name add_unet(GraphBuilder& graph, const UNet& network, const NetworkInputs& inputs) {
  return UNetGraph(graph, network)(inputs);
}

}  // namespace fokker
