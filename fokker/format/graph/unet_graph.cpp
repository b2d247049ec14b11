#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numbers>
#include <unordered_map>

#include "fokker/core/check.h"
#include "fokker/format/graph/network_graph.h"
#include "fokker/nn/unet/unet_layers.h"

namespace fokker {
namespace {

using Name = GraphBuilder::Name;

/// The layers of a UNet, made again with its parameters, whose names tensors are found by.
class UNetGraph {
 public:
  UNetGraph(GraphBuilder& graph, const UNet& network) : graph_(graph), layers_(network.options(), builder_) {
    const at::NoGradGuard off;
    for (const auto& [name, tensor] : builder_.take()) {
      tensor.copy_(network.parameter(name));
      names_.emplace(tensor.data_ptr(), name);
    }
  }

  Name operator()(const NetworkInputs& in) {
    const UNetOptions& o = layers_.options;
    Name x = o.center_input_sample ? graph_.add(graph_.scale(in.x, 2), graph_.number(-1)) : in.x;
    const int64_t right = layers_.padded_width() - o.sample_width,
                  bottom = layers_.padded_height() - o.sample_height;
    if (right > 0 || bottom > 0)
      x = graph_.add_node("Pad", {x, graph_.integers({0, 0, 0, 0, 0, 0, bottom, right})});
    Name h = body(convolution(x, layers_.conv_in), embedding(in));
    h = convolution(graph_.silu(normalised(h, layers_.norm_out)), layers_.conv_out);
    if (right > 0 || bottom > 0)
      h = graph_.add_node("Slice",
                          {h, graph_.integers({0, 0}), graph_.integers({o.sample_height, o.sample_width}),
                           graph_.integers({2, 3})});
    if (o.time_kind != UNetOptions::TimeKind::fourier) return h;
    return graph_.add_node("Div", {h, graph_.reshape(in.time, {-1, 1, 1, 1})});
  }

 private:
  Name parameter(const Tensor& tensor, const std::vector<int64_t>& shape = {}) {
    const std::string& name = names_.at(tensor.data_ptr());
    return graph_.constant(name, shape.empty() ? tensor : tensor.view(shape));
  }
  Name linear(const Name& x, const Linear& layer) {
    std::string name = names_.at(layer.weight.data_ptr());
    name.resize(name.size() - std::string_view(".weight").size());
    return graph_.linear(x, name, layer.weight, layer.bias);
  }

  Name convolution(const Name& x, const Convolution& layer) {
    const int64_t pad = layer.padding, size = layer.weight.size(2);
    // Without padding at all, diffusers' Downsample2D adds a row and a column at the end.
    const int64_t end = layer.stride == 2 && pad == 0 ? 1 : pad;
    return graph_.add_node({.op = "Conv",
                            .inputs = {x, parameter(layer.weight), parameter(layer.bias)},
                            .output = {},
                            .integers = {{"kernel_shape", {size, size}},
                                         {"pads", {pad, pad, end, end}},
                                         {"strides", {layer.stride, layer.stride}}}});
  }
  /// A layer of each pixel's channels.
  Name pixelwise(const Name& x, const Linear& layer) {
    const int64_t outputs = layer.weight.size(0), inputs = layer.weight.size(1);
    return graph_.add_node(
        {.op = "Conv",
         .inputs = {x, parameter(layer.weight, {outputs, inputs, 1, 1}), parameter(layer.bias)},
         .output = {},
         .integers = {{"kernel_shape", {1, 1}}, {"pads", {0, 0, 0, 0}}, {"strides", {1, 1}}}});
  }

  /// Groups become channels of one row, which instance normalisation standardises.
  Name normalised(const Name& x, const GroupNorm& norm) {
    const int64_t channels = norm.weight.size(0), groups = norm.groups;
    const Name ones = graph_.constant(fmt::format("ones.{}", groups), at::ones({groups}));
    const Name zeros = graph_.constant(fmt::format("zeros.{}", groups), at::zeros({groups}));
    const Name rows = graph_.reshape(x, {0, groups, -1});
    const Name standard = graph_.add_node({.op = "InstanceNormalization",
                                           .inputs = {rows, ones, zeros},
                                           .output = {},
                                           .reals = {{"epsilon", norm.eps}}});
    const Name back = graph_.add_node("Reshape", {standard, graph_.add_node("Shape", {x})});
    return graph_.add(graph_.multiply(back, parameter(norm.weight, {channels, 1, 1})),
                      parameter(norm.bias, {channels, 1, 1}));
  }

  Name activated(const std::string& name, const Name& x) {
    if (name != "mish") return graph_.activation(name, x);
    return graph_.multiply(x, graph_.add_node("Tanh", {graph_.add_node("Softplus", {x})}));
  }

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

  Name embedding(const NetworkInputs& in) {
    const TimeEmbedding& time = layers_.time;
    check(
        !time.number && !time.vector,
        "graph: expected a U-Net that is told classes or our conditions but it is told a number or a vector");
    Name h = linear(graph_.silu(linear(time_features(in.time), time.linear1)), time.linear2);
    if (time.classes.defined())
      h = graph_.add(h, graph_.add_node("Gather", {parameter(time.classes.weight), in.label}));
    if (time.condition.defined()) h = graph_.add(h, linear(in.label, time.condition.layer));
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
    std::string name = names_.at(layer.weight.data_ptr());
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
    const int64_t channels = block.query.weight.size(0), heads = block.heads, size = channels / heads;
    const Name h = block.norm.weight.defined() ? normalised(x, block.norm) : x;
    // (n, heads, size, pixels)
    const auto split = [&](const Linear& layer) {
      return graph_.reshape(pixelwise(h, layer), {0, heads, size, -1});
    };
    const Name query = graph_.scale(graph_.transpose(split(block.query), {0, 1, 3, 2}),
                                    1 / std::sqrt(static_cast<double>(size)));
    const Name weights = graph_.add_node({.op = "Softmax",
                                          .inputs = {graph_.add_node("MatMul", {query, split(block.key)})},
                                          .output = {},
                                          .numbers = {{"axis", -1}}});
    const Name values = graph_.transpose(split(block.value), {0, 1, 3, 2});
    const Name mixed = graph_.transpose(graph_.add_node("MatMul", {weights, values}), {0, 1, 3, 2});
    const Name image = graph_.add_node("Reshape", {mixed, graph_.add_node("Shape", {x})});
    return graph_.scale(graph_.add(pixelwise(image, block.out), x), 1 / block.output_scale);
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

  Name at_place(const Level& level, size_t j, const Name& x, const Name& time) {
    const Name h = resnet(x, level.resnets[j], time);
    return level.attentions.empty() ? h : attention(h, level.attentions[j]);
  }

  Name body(Name h, const Name& time) {
    std::vector<Name> skips = {h};
    for (const Level& level : layers_.down) {
      for (size_t j = 0; j < level.resnets.size(); ++j) skips.push_back(h = at_place(level, j, h, time));
      if (level.down) skips.push_back(h = convolution(h, level.down->conv));
      if (level.residual) skips.push_back(h = resnet(h, *level.residual, time));
    }
    for (size_t j = 0; j < layers_.middle.size(); ++j) {
      h = resnet(h, layers_.middle[j], time);
      if (j == 0 && layers_.middle_attention) h = attention(h, *layers_.middle_attention);
    }
    for (const Level& level : layers_.up) {
      for (size_t j = 0; j < level.resnets.size(); ++j) {
        h = at_place(level, j, graph_.concatenate({h, skips.back()}, 1), time);
        skips.pop_back();
      }
      if (level.up) h = convolution(upsampled(h), level.up->conv);
      if (level.residual) h = resnet(h, *level.residual, time);
    }
    return h;
  }

  GraphBuilder& graph_;
  LayerBuilder builder_{0};
  UNetLayers layers_;
  std::unordered_map<const void*, std::string> names_;
};

}  // namespace

Name add_unet(GraphBuilder& graph, const UNet& network, const NetworkInputs& inputs) {
  return UNetGraph(graph, network)(inputs);
}

}  // namespace fokker
