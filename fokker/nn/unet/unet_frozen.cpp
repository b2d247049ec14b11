#include "fokker/nn/unet/unet_frozen.h"

#include <ATen/Parallel.h>

#include "fokker/core/check.h"
#include "fokker/kernel/vector/activation.h"

namespace fokker {
namespace {

constexpr int64_t images_together = 16;  // in one thread: enough of them share the weights that pass by

/// Rows through a layer: unlike libtorch's, each one's result does not depend on their number.
Tensor through(const FrozenLinear& layer, const Tensor& x) {
  Tensor y = at::empty({x.size(0), layer.outputs()}, x.options());
  layer(x.data_ptr<float>(), x.size(1), x.size(0), y.data_ptr<float>(), layer.outputs());
  return y;
}

/// SiLU of rows, in place: unlike libtorch's, a number's result does not depend on its place.
Tensor activated(Tensor x) {
  const int64_t columns = x.size(1);
  float* data = x.data_ptr<float>();
  at::parallel_for(0, x.size(0), 256, [&](int64_t begin, int64_t end) {
    const kernel::MatrixRows rows = {data + begin * columns, columns};
    kernel::activate(kernel::ActivationKind::silu, rows, end - begin, columns, rows);
  });
  return x;
}

}  // namespace

FrozenUNet::FrozenUNet(const UNetLayers& layers, kernel::FactorPrecision precision)
    : options_(layers.options),
      precision_(precision),
      time1_(layers.time.layers.linear1, precision),
      time2_(layers.time.layers.linear2, precision),
      conv_in_(layers.conv_in, precision),
      conv_out_(layers.conv_out, precision),
      norm_out_(layers.norm_out) {
  const GradientMode off(false);
  height_ = layers.padded_height();
  width_ = layers.padded_width();
  joins_ = layers.joins();
  frequencies_ =
      sinusoidal_columns(layers.time.features, {.frequency_shift = layers.time.sinusoidal.frequency_shift});
  classes_.unconditional = layers.time.classes.unconditional;
  classes_.unconditional_row = layers.time.classes.unconditional_row;
  if (layers.time.classes.defined()) classes_.weight = layers.time.classes.weight.detach().clone();
  if (layers.time.condition.defined()) condition_ = FrozenLinear(layers.time.condition.layer, precision);
  build_down(layers);
  for (const ResnetBlock& block : layers.middle) middle_.push_back(resnet(block));
  if (layers.middle_attention) middle_attention_.emplace(*layers.middle_attention, precision_);
  build_up(layers);
  starts_ = FrozenLinear(std::exchange(start_weight_, {}), std::exchange(start_bias_, {}), precision_);
}

/// All projections of the time are one, with the bias of the convolution that they are added to.
FrozenResnet FrozenUNet::resnet(const ResnetBlock& block) {
  const Tensor bias = block.time.bias + block.conv1.bias;
  const int64_t first = start_bias_.defined() ? start_bias_.size(0) : 0;
  start_weight_ = first ? at::cat({start_weight_, block.time.weight}) : block.time.weight.clone();
  start_bias_ = first ? at::cat({start_bias_, bias}) : bias;
  return FrozenResnet(block, first, precision_);
}

void FrozenUNet::build_down(const UNetLayers& layers) {
  for (const Level& level : layers.down) {
    Stage stage;
    for (const ResnetBlock& block : level.resnets) stage.resnets.push_back(resnet(block));
    for (const AttentionBlock& block : level.attentions) stage.attentions.emplace_back(block, precision_);
    if (level.down) stage.down.emplace(level.down->conv, precision_);
    down_.push_back(std::move(stage));
  }
}

void FrozenUNet::build_up(const UNetLayers& layers) {
  for (const Level& level : layers.up) {
    Stage stage;
    for (const ResnetBlock& block : level.resnets) stage.resnets.push_back(resnet(block));
    for (const AttentionBlock& block : level.attentions) stage.attentions.emplace_back(block, precision_);
    if (level.up) stage.up.emplace(level.up->conv, precision_);
    up_.push_back(std::move(stage));
  }
}

std::vector<FrozenUNet::Joined> FrozenUNet::joins_for(int64_t images, Arena& arena) const {
  std::vector<Joined> joined;
  for (const UNetLayers::Join& j : joins_) {
    const FeatureMap whole = arena.map(images, height_ >> j.level, width_ >> j.level, j.below + j.skipped);
    joined.push_back({whole.part(0, j.below), whole.part(j.below, j.skipped), whole});
  }
  return joined;
}

void FrozenUNet::block(const Stage& stage, size_t j, const FeatureMap& x, const FeatureMap& y,
                       FrozenPass& pass) const {
  if (stage.attentions.empty()) return stage.resnets[j](x, y, pass);
  const Arena::Mark mark = pass.arena.mark();
  const FeatureMap h = pass.arena.map(y.images, y.height, y.width, y.channels);
  stage.resnets[j](x, h, pass);
  stage.attentions[j](h, y, pass);
  pass.arena.rewind(mark);
}

FeatureMap FrozenUNet::way_down(const FeatureMap& x, const std::vector<Joined>& joins,
                                FrozenPass& pass) const {
  size_t next = 0;
  FeatureMap h = joins[next++].skipped;
  conv_in_(x, h);
  for (const Stage& stage : down_) {
    for (size_t j = 0; j < stage.resnets.size(); ++j) {
      const FeatureMap& y = joins[next++].skipped;
      block(stage, j, h, y, pass);
      h = y;
    }
    if (!stage.down) continue;
    const FeatureMap& y = joins[next++].skipped;
    (*stage.down)(h, y, pass.arena);
    h = y;
  }
  return h;
}

void FrozenUNet::middle(const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const {
  FeatureMap h = pass.arena.map(x.images, x.height, x.width, x.channels);
  middle_[0](x, h, pass);
  if (middle_attention_) {
    const FeatureMap mixed = pass.arena.map(x.images, x.height, x.width, x.channels);
    (*middle_attention_)(h, mixed, pass);
    h = mixed;
  }
  middle_[1](h, y, pass);
}

FeatureMap FrozenUNet::way_up(const std::vector<Joined>& joins, FrozenPass& pass) const {
  size_t next = joins.size();
  FeatureMap y;
  for (const Stage& stage : up_) {
    for (size_t j = 0; j < stage.resnets.size(); ++j) {
      const FeatureMap& x = joins[--next].whole;
      const bool inner = j + 1 < stage.resnets.size();
      y = inner ? joins[next - 1].below
                : pass.arena.map(x.images, x.height, x.width, stage.resnets[j].outputs());
      block(stage, j, x, y, pass);
    }
    if (stage.up) (*stage.up)(y, joins[next - 1].below, {.upsampled = true});
  }
  return y;
}

void FrozenUNet::run(const Tensor& x, const Tensor& y, const Tensor& starts, int64_t begin,
                     int64_t end) const {
  const std::shared_ptr<Arena> arena = arenas_.take();
  const Arena::Mark empty = arena->mark();
  const bool shared = starts.size(0) == 1;
  for (int64_t first = begin; first < end; first += images_together) {
    const int64_t images = std::min(images_together, end - first);
    FrozenPass pass = {*arena, starts.data_ptr<float>() + (shared ? 0 : first * starts.size(1)),
                       shared ? 0 : starts.size(1)};
    const FeatureMap input = arena->map(images, height_, width_, options_.in_channels);
    const FeatureMap output = arena->map(images, height_, width_, options_.out_channels);
    read_images(x, first, options_.center_input_sample, input);
    const std::vector<Joined> joins = joins_for(images, *arena);
    middle(way_down(input, joins, pass), joins.back().below, pass);
    const FeatureMap h = way_up(joins, pass);
    conv_out_(h, output, {.norm = norm_out_(h, *arena)});
    write_images(output, first, y);
    arena->rewind(empty);
  }
}

Tensor FrozenUNet::time_features(const Tensor& time) const {
  const int64_t half = frequencies_.size(0) / 2;
  const Tensor cosines_first = sinusoidal_rows(time, frequencies_, half);
  if (options_.flip_sin_to_cos) return cosines_first;
  const auto columns = [&](int64_t begin, int64_t end) { return cosines_first.slice(1, begin, end); };
  return at::cat({columns(half, 2 * half), columns(0, half), columns(2 * half, frequencies_.size(0))}, 1);
}

/// What each block adds after its first convolution: (n, blocks' channels) or (1, blocks' channels).
Tensor FrozenUNet::starts(const Tensor& time, const Tensor& label) const {
  Tensor embedding = through(time2_, activated(through(time1_, time_features(time))));
  if (classes_.defined()) embedding = (embedding + classes_(label)).contiguous();
  if (const int64_t k = options_.condition_size; k > 0)
    embedding = (embedding + through(condition_, condition_inputs(label, k, time.options()).contiguous()))
                    .contiguous();
  return through(starts_, activated(embedding));
}

Tensor FrozenUNet::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("UNet", x, time, label,
                       {options_.in_channels, options_.sample_height, options_.sample_width},
                       classes_.defined(), options_.condition_size);
  check(x.is_cpu() && x.scalar_type() == at::kFloat,
        "UNet: expected float32 on the CPU, as the weights, but received {}", at::toString(x.scalar_type()));
  const GradientMode off(false);
  const Tensor input = x.contiguous(), added = starts(time, label);
  const int64_t n = x.size(0);
  Tensor y =
      at::empty({n, options_.out_channels, options_.sample_height, options_.sample_width}, x.options());
  // A thread takes whole images; where there are fewer images than threads, the layers share out their own
  // work.
  if (n < at::get_num_threads())
    run(input, y, added, 0, n);
  else
    at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) { run(input, y, added, begin, end); });
  return y;
}

}  // namespace fokker
