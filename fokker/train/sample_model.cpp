#include "fokker/train/sample_model.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/labels.h"
#include "fokker/denoise/guidance.h"
#include "fokker/nn/placement.h"
#include "fokker/sample/method/unipc.h"

namespace fokker {
namespace {

/// A model's denoiser with what is laid over it.
class Decorated final : public Denoiser {
 public:
  explicit Decorated(std::unique_ptr<Denoiser> learned)
      : learned_(std::move(learned)), outermost_(learned_.get()) {}
  void guide(int64_t label, double weight) { outermost_ = &guided_.emplace(*outermost_, label, weight); }
  void clip(double limit) { outermost_ = &clipped_.emplace(*outermost_, limit); }

  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override {
    return outermost_->estimate(x, t, label);
  }
  const GaussianProcess& process() const override { return learned_->process(); }
  std::unique_ptr<const Denoiser> frozen() const override { return outermost_->frozen(); }

 private:
  std::unique_ptr<Denoiser> learned_;
  const Denoiser* outermost_;
  std::optional<GuidedDenoiser> guided_;
  std::optional<ClippedDenoiser> clipped_;
};

/// Guides each row of one block to a label of its own.
class RowGuided final : public Denoiser {
 public:
  RowGuided(const Denoiser& inner, Tensor labels, double weight)
      : inner_(inner), labels_(std::move(labels)), weight_(weight) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& = {}) const override {
    const Estimate conditional = inner_.estimate(x, t, labels_.to(x.device()));
    if (weight_ == 1.0) return conditional;
    const Tensor unconditional = inner_.estimate(x, t).value();
    return conditional.with_value(at::lerp(unconditional, conditional.value(), weight_));
  }
  const GaussianProcess& process() const override { return inner_.process(); }

 private:
  const Denoiser& inner_;
  Tensor labels_;
  double weight_;
};

double clip_limit(const Model& model, std::optional<double> clip) {
  return clip.value_or(model.is_image() ? 1.0 : 0.0);
}

/// The classes of all rows, (n); undefined without labels.
Tensor classes_of(const Model& model, int64_t n, const std::vector<std::string>& labels) {
  if (labels.empty()) return {};
  check(labels.size() == 1 || std::ssize(labels) == n,
        "labels: expected one, or one of each of {} rows, but received {}", n, labels.size());
  std::vector<int64_t> classes;
  for (const std::string& label : labels) classes.push_back(class_of(model, label));
  const Tensor all = at::tensor(classes, at::kLong);
  return labels.size() == 1 ? all.expand({n}).contiguous() : all;
}

/// One run of all rows; with labels of their own, block after block.
Integration run_blocks(const Model& model, const Tensor& start, const TimeGrid& grid, const Sampler& sampler,
                       const Tensor& classes, const SampleOptions& o, IntegrateOptions run) {
  if (o.labels.size() <= 1) {
    const auto denoiser = sampling_denoiser(model, o.clip, o.labels.empty() ? "" : o.labels[0], o.guidance);
    return integrate(*denoiser, sampler, grid, start, run);
  }
  const GradientMode off(false);
  const auto learned = model.denoiser();
  const auto frozen = learned->frozen();
  const Denoiser& inner = frozen ? *frozen : *learned;
  const double limit = clip_limit(model, o.clip);
  Integration whole;
  std::vector<Tensor> parts;
  for (int64_t first = 0; first < start.size(0); first += run.block) {
    const int64_t count = std::min(run.block, start.size(0) - first);
    const RowGuided guided(inner, classes.narrow(0, first, count), o.guidance);
    std::optional<ClippedDenoiser> clipped;
    if (limit > 0) clipped.emplace(guided, limit);
    run.first_sample = first;
    const Denoiser& used = clipped ? static_cast<const Denoiser&>(*clipped) : guided;
    const Integration part = integrate(used, sampler, grid, start.narrow(0, first, count), run);
    parts.push_back(part.x);
    whole.evaluations = std::max(whole.evaluations, part.evaluations);
    whole.rejected += part.rejected;
  }
  whole.x = at::cat(parts);
  return whole;
}

Dataset in_user_units(const Model& model, const Tensor& x, const Tensor& classes) {
  Dataset rows{.values = model.normalisation.invert(x.cpu()), .columns = model.columns};
  if (!classes.defined()) return rows;
  rows.labels = classes;
  rows.label_names = model.label_names;
  rows.label_column = model.label_column;
  return rows;
}

}  // namespace

int64_t class_of(const Model& model, const std::string& label) {
  check(!model.label_names.empty(), "label: the model was trained without labels but received '{}'", label);
  const auto found = find_label(model.label_names, label);
  check(found.has_value(), "label: expected one of those in training, {}, but received '{}'",
        list_labels(model.label_names), label);
  return *found;
}

TimeGrid usual_grid(const GaussianProcess& process, int64_t steps) {
  return process.sigma(0) > 0 ? TimeGrid::uniform_log_snr(process, steps) : TimeGrid::quadratic(steps);
}

int64_t usual_batch(const std::vector<int64_t>& event_shape) {
  return event_shape.size() == 3 ? 64 : 4096;
}

std::unique_ptr<Denoiser> sampling_denoiser(const Model& model, std::optional<double> clip,
                                            const std::string& label, double guidance) {
  const double limit = clip_limit(model, clip);
  std::unique_ptr<Denoiser> learned = model.denoiser();
  if (limit == 0 && label.empty()) return learned;
  auto decorated = std::make_unique<Decorated>(std::move(learned));
  if (!label.empty()) decorated->guide(class_of(model, label), guidance);
  if (limit != 0) decorated->clip(limit);
  return decorated;
}

ModelSamples sample_counted(const Model& given, int64_t n, const Rng& rng, const SampleOptions& o) try {
  check(n > 0, "sample: expected n > 0 but received {}", n);
  check(o.batch >= 0, "sample: expected batch > 0 but received {}", o.batch);
  check(std::isfinite(o.guidance), "guidance: expected a finite weight but received {}", o.guidance);
  Model model = given;
  if (o.precision != Precision::automatic) {
    model.network = given.network->clone();
    place(*model.network, input_type(*given.network).device(), o.precision);
  }
  const Tensor classes = classes_of(model, n, o.labels);
  const std::shared_ptr<const Sampler> sampler =
      o.sampler ? o.sampler : std::make_shared<UniPc>(UniPc::Options{.order = 3});
  const TimeGrid grid = o.grid ? *o.grid : usual_grid(model.spec.process, o.steps);
  check(!grid.towards_noise(),
        "sample: expected a grid from noise to data but received one from t = {} to {}", grid.times().front(),
        grid.times().back());
  const at::TensorOptions type = input_type(*model.network);
  std::vector<int64_t> shape{n};
  for (const int64_t size : model.event_shape()) shape.push_back(size);
  check(!o.start.defined() || o.start.sizes() == at::IntArrayRef(shape),
        "start: expected rows of shape {} but received {}", shape_string(shape),
        o.start.defined() ? shape_string(o.start) : "");
  const auto scalar = c10::typeMetaToScalarType(type.dtype());
  const Tensor start =
      o.start.defined() ? o.start
                        : model.spec.process.sample_prior(shape, rng.stream("prior").noise_source(scalar), 0);
  const Integration run = run_blocks(model, start.to(type), grid, *sampler, classes, o,
                                     {.noise = rng.stream("sampler").noise_source(scalar),
                                      .block = o.batch > 0 ? o.batch : usual_batch(model.event_shape()),
                                      .observers = o.observers});
  return {in_user_units(model, run.x, classes), run.evaluations, run.rejected};
} catch (...) {
  detail::throw_as_error();
}

Dataset sample(const Model& model, int64_t n, const Rng& rng, const SampleOptions& options) {
  return sample_counted(model, n, rng, options).rows;
}

}  // namespace fokker
