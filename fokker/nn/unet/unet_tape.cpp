#include "fokker/nn/unet/unet_tape.h"

namespace fokker {

TracedMap UNetTape::trace(const FeatureMap& like, int64_t channels) {
  const auto map = [&] { return arena_.map(like.images, like.height, like.width, channels); };
  return {.value = map(), .gradient = wanted_.gradients ? map() : FeatureMap()};
}

void UNetTape::make_joins(int64_t images) {
  for (const UNetLayers::Join& j : layers_.joins()) {
    const FeatureMap sides = {.images = images,
                              .height = layers_.padded_height() >> j.level,
                              .width = layers_.padded_width() >> j.level};
    const TracedMap whole = trace(sides, j.below + j.skipped);
    const auto part = [&](int64_t first, int64_t count) -> TracedMap {
      return {.value = whole.value.part(first, count), .gradient = whole.gradient.part(first, count)};
    };
    joins_.push_back({part(0, j.below), part(j.below, j.skipped), whole});
    // The way up has read the whole before the way down comes back to its part.
    joins_.back().skipped.shared = true;
  }
}

template <typename Layer, typename... Arguments>
void UNetTape::run(Arguments&&... arguments) {
  auto layer = std::make_unique<Layer>(std::forward<Arguments>(arguments)..., arena_);
  layer->forward(pass_);
  if (wanted_.gradients) tape_.push_back(std::move(layer));
}

void UNetTape::resnet(const ResnetBlock& block, const TracedMap& x, const TracedMap& y) {
  run<TrainedResnet>(block, next_start_, x, y);
  next_start_ += block.outputs();
}

void UNetTape::block(const Level& level, size_t j, const TracedMap& x, const TracedMap& y) {
  if (level.attentions.empty()) return resnet(level.resnets[j], x, y);
  const TracedMap h = trace(y.value, y.value.channels);
  resnet(level.resnets[j], x, h);
  run<TrainedAttention>(level.attentions[j], h, y);
}

TracedMap UNetTape::way_down() {
  auto join = joins_.begin();
  TracedMap h = (join++)->skipped;
  run<TrainedConvolution>(layers_.conv_in, nullptr, false, input_, h);
  for (const Level& level : layers_.down) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      const TracedMap y = (join++)->skipped;
      block(level, j, h, y);
      h = y;
    }
    if (!level.down) continue;
    const TracedMap y = (join++)->skipped;
    run<TrainedDownsample>(level.down->conv, h, y);
    h = y;
  }
  return h;
}

void UNetTape::middle(const TracedMap& x, const TracedMap& y) {
  TracedMap h = trace(x.value, x.value.channels);
  resnet(layers_.middle[0], x, h);
  if (layers_.middle_attention) {
    const TracedMap mixed = trace(h.value, h.value.channels);
    run<TrainedAttention>(*layers_.middle_attention, h, mixed);
    h = mixed;
  }
  resnet(layers_.middle[1], h, y);
}

TracedMap UNetTape::way_up() {
  size_t next = joins_.size();
  TracedMap y;
  for (const Level& level : layers_.up) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      const TracedMap& x = joins_[--next].whole;
      const bool inner = j + 1 < level.resnets.size();
      y = inner ? joins_[next - 1].below : trace(x.value, level.resnets[j].outputs());
      block(level, j, x, y);
    }
    if (level.up) run<TrainedConvolution>(level.up->conv, nullptr, true, y, joins_[next - 1].below);
  }
  return y;
}

void UNetTape::forward(const Tensor& x, const Tensor& starts, const Tensor& y) {
  const UNetOptions& options = layers_.options;
  starts_ = starts;
  pass_.starts = starts.data_ptr<float>();
  pass_.start_stride = starts.size(0) == 1 ? 0 : starts.size(1);
  make_joins(x.size(0));
  input_ = trace(joins_[0].whole.value, options.in_channels);
  output_ = trace(joins_[0].whole.value, options.out_channels);
  if (!wanted_.input) input_.gradient = {};
  read_images(x, 0, options.center_input_sample, input_.value);
  middle(way_down(), joins_.back().below);
  const TracedMap h = way_up();
  run<TrainedConvolution>(layers_.conv_out, &layers_.norm_out, false, h, output_);
  write_images(output_.value, 0, y);
}

UNetTape::Gradients UNetTape::backward(const Tensor& dy, ParameterGradients& parameters) {
  const UNetOptions& options = layers_.options;
  Gradients result = {.x = {}, .starts = at::empty_like(starts_)};
  pass_.start_gradients = result.starts.data_ptr<float>();
  read_images(dy, 0, false, output_.gradient);
  for (auto layer = tape_.rbegin(); layer != tape_.rend(); ++layer) {
    (*layer)->backward(pass_, parameters);
    parameters.settle();
  }
  if (!wanted_.input) return result;
  result.x =
      at::empty({dy.size(0), options.in_channels, options.sample_height, options.sample_width}, dy.options());
  write_images(input_.gradient, 0, result.x);
  if (options.center_input_sample) result.x.mul_(2);
  return result;
}

}  // namespace fokker
