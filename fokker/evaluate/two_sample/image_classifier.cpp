#include "fokker/evaluate/two_sample/image_classifier.h"

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/kernel/vector/adamw.h"

namespace fokker {
namespace {

constexpr int64_t feature_block = 256;  // images at a time where no gradients are recorded

void check_labelled(const Dataset& data) {
  check_input(data.is_images() && data.labels.defined(), "{}: expected images with labels", data.source);
  check_input(data.values.size(2) >= 4 && data.values.size(3) >= 4,
              "{}: expected images of at least 4 x 4 pixels but they have {} x {}", data.source,
              data.values.size(2), data.values.size(3));
  check_input(data.size() > 1 && data.labels.max().item<int64_t>() > 0, "{}: expected at least two classes",
              data.source);
}

/// A parameter with what AdamW keeps for it.
struct Trained {
  explicit Trained(const Tensor& p)
      : value(p),
        state{p.detach(), {}, at::zeros_like(p.detach()), at::zeros_like(p.detach()), p.detach().clone()} {}
  Tensor value;
  kernel::AdamWState state;
};

}  // namespace

ImageClassifier::ImageClassifier(const Dataset& labelled, const ClassifierOptions& options,
                                 const std::function<void(double)>& progress) {
  check(options.epochs > 0 && options.batch > 0 && options.learning_rate > 0 && options.held_out > 0 &&
            options.held_out < 1,
        "ImageClassifier: expected epochs, batch and learning rate > 0 and 0 < held_out < 1");
  check_labelled(labelled);
  shape_ = labelled.event_shape();
  LayerBuilder builder(options.seed);
  int64_t channels = shape_[0];
  for (const int64_t next : {int64_t{32}, int64_t{64}, feature_count}) {
    convolutions_.push_back(builder.convolution(fmt::format("conv_{}", next), channels, next, 3));
    channels = next;
  }
  output_ = builder.linear("output", channels, labelled.labels.max().item<int64_t>() + 1);
  parameters_ = builder.take();
  const Split parts =
      split_rows(labelled, 1 - options.held_out, Rng(options.seed).stream("classifier split"));
  train(parts.training, options, progress);
  accuracy_ = measure(parts.held_out);
  held_out_images_ = parts.held_out.values;
}

Tensor ImageClassifier::embed(const Tensor& x) const {
  Tensor h = x.contiguous(at::MemoryFormat::ChannelsLast);
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    if (i > 0) h = at::avg_pool2d(h, {2, 2});
    h = apply_silu(convolutions_[i](h));
  }
  return h.mean(IntArrayRef{2, 3});
}

void ImageClassifier::train(const Dataset& data, const ClassifierOptions& options,
                            const std::function<void(double)>& progress) {
  std::vector<Trained> trained;
  std::vector<Tensor> leaves;
  for (auto& p : parameters_) {
    p.tensor.set_requires_grad(true);
    trained.emplace_back(p.tensor);
    leaves.push_back(p.tensor);
  }
  const Rng rng = Rng(options.seed).stream("classifier order");
  const int64_t per_epoch = (data.size() + options.batch - 1) / options.batch,
                steps = per_epoch * options.epochs;
  Tensor order;
  for (int64_t step = 0; step < steps; ++step) {
    check_stop();
    if (step % per_epoch == 0)
      order = rng.stream(static_cast<uint64_t>(step / per_epoch)).permutation(data.size());
    const int64_t first = step % per_epoch * options.batch;
    const Tensor rows = order.narrow(0, first, std::min(options.batch, data.size() - first));
    const Tensor logits = output_(embed(in_unit_range(data.values.index_select(0, rows))));
    const auto slopes =
        gradients(at::cross_entropy_loss(logits, data.labels.index_select(0, rows)), leaves, false);
    const double done = static_cast<double>(step) / static_cast<double>(steps);
    for (size_t i = 0; i < trained.size(); ++i) {
      trained[i].state.gradients = slopes[i].contiguous();
      kernel::adamw_step(trained[i].state, {.learning_rate = options.learning_rate * 0.5 *
                                                             (1 + std::cos(std::numbers::pi * done)),
                                            .step = step + 1});
    }
    if (progress) progress(done);
  }
  for (auto& p : parameters_) p.tensor.set_requires_grad(false);
}

double ImageClassifier::measure(const Dataset& data) const {
  const Tensor named = output_(features(data.values)).argmax(1);
  return named.eq(data.labels).to(at::kDouble).mean().item<double>();
}

Tensor ImageClassifier::features(const Tensor& images) const {
  check_input(images.dim() == 4 && images.sizes().slice(1) == IntArrayRef(shape_),
              "classifier: expected images of shape {} but received {}", shape_string(IntArrayRef(shape_)),
              shape_string(images));
  const GradientMode no_gradients(false);
  std::vector<Tensor> blocks;
  for (int64_t first = 0; first < images.size(0); first += feature_block)
    blocks.push_back(
        embed(in_unit_range(images.narrow(0, first, std::min(feature_block, images.size(0) - first)))));
  return blocks.empty() ? at::empty({0, feature_count}) : at::cat(blocks);
}

}  // namespace fokker
