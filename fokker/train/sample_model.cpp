#include "fokker/train/sample_model.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/labels.h"
#include "fokker/denoise/guidance.h"
#include "fokker/nn/placement.h"
#include "fokker/sample/method/exponential/unipc.h"
#include "fokker/sample/samplers.h"
#include "fokker/train/sample_table.h"

namespace fokker {
namespace {

double clip_limit(const Model& model, std::optional<double> clip) {
  return clip.value_or(model.is_image() ? 1.0 : 0.0);
}

/// The classes of all rows, (n); undefined without labels.
Tensor classes_of(const Model& model, int64_t n, const std::vector<std::string>& labels) {
  if (labels.empty()) return {};
  check(labels.size() == 1 || std::ssize(labels) == n,
        "labels: expected one, or one of each of {} rows, but received {}", n, labels.size());
  std::vector<int64_t> classes;
  classes.reserve(labels.size());
  for (const std::string& label : labels) classes.push_back(class_of(model, label));
  const Tensor all = at::tensor(classes, at::kLong);
  return labels.size() == 1 ? all.expand({n}).contiguous() : all;
}

/// Guided towards the labels that it is given, and clipped.
std::shared_ptr<const Denoiser> guided(const Model& model, const SampleOptions& o) {
  std::shared_ptr<const Denoiser> denoiser = model.denoiser();
  if (!o.labels.empty()) denoiser = std::make_shared<GuidedDenoiser>(denoiser, o.guidance);
  const double limit = clip_limit(model, o.clip);
  return limit != 0 ? std::make_shared<ClippedDenoiser>(denoiser, limit) : denoiser;
}

/// Values in the user's units, with all that the model knows of them.
Dataset as_dataset(const Model& model, Tensor values, const Tensor& classes) {
  Dataset rows{.values = std::move(values), .columns = model.columns};
  rows.schema = model.schema();
  rows.format = model.format;
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
  return make_grid(make_sampler("unipc", process).grid, process, steps);
}

int64_t usual_batch(const std::vector<int64_t>& event_shape) {
  return event_shape.size() == 3 ? 64 : 4096;
}

std::shared_ptr<const Denoiser> sampling_denoiser(const Model& model, std::optional<double> clip,
                                                  const std::string& label, double guidance) {
  std::shared_ptr<const Denoiser> denoiser = model.denoiser();
  if (!label.empty()) denoiser = std::make_shared<GuidedDenoiser>(denoiser, class_of(model, label), guidance);
  const double limit = clip_limit(model, clip);
  return limit != 0 ? std::make_shared<ClippedDenoiser>(denoiser, limit) : denoiser;
}

ModelSamples sample_counted(const Model& given, int64_t n, const Rng& rng, const SampleOptions& o) try {
  check(n > 0, "sample: expected n > 0 but received {}", n);
  check(o.batch >= 0, "sample: expected batch > 0 but received {}", o.batch);
  check(std::isfinite(o.guidance), "guidance: expected a finite weight but received {}", o.guidance);
  Model model = given;
  const Precision precision = precision_of_samples(*given.network, o.precision);
  if (precision != Precision::automatic) {
    model.network = given.network->clone();
    place(*model.network, input_type(*given.network).device(), precision);
  }
  check(!o.known.any() || model.table, "known cells: expected a model of a table with a schema");
  check(!model.table || o.clip.value_or(0) == 0,
        "clip: expected none of a table with a schema, whose cells are never beyond those of the training");
  const Tensor classes = classes_of(model, n, o.labels);
  const bool guided_table = model.table && classes.defined() && o.guidance != 1;
  check(!guided_table || !o.known.any(),
        "guidance: expected a weight of 1 beside known cells but received {}", o.guidance);
  const std::shared_ptr<const Sampler> sampler =
      o.sampler ? o.sampler : std::make_shared<UniPc>(UniPc::Options{.order = 3});
  const TimeGrid grid = o.grid                         ? *o.grid
                        : model.table && !guided_table ? table_grid(model.spec.process, o.steps)
                                                       : usual_grid(model.spec.process, o.steps);
  check(!grid.towards_noise(),
        "sample: expected a grid from noise to data but received one from t = {} to {}", grid.times().front(),
        grid.times().back());
  const at::TensorOptions type = input_type(*model.network);
  std::vector<int64_t> shape{n};
  for (const int64_t size : model.event_shape()) shape.push_back(size);
  check(!o.start.defined() || o.start.sizes() == at::IntArrayRef(shape),
        "start: expected rows of shape {} but received {}", shape_string(shape),
        o.start.defined() ? shape_string(o.start) : "");
  const Tensor start =
      o.start.defined() ? o.start
                        : model.spec.process.sample_prior(shape, rng.stream("prior").noise_source(type), 0);
  IntegrateOptions options{.noise = rng.stream("sampler").noise_source(type),
                           .block = o.batch > 0 ? o.batch : usual_batch(model.event_shape()),
                           .observers = o.observers,
                           .labels = classes};
  if (model.table && !guided_table) {
    TableSamples drawn =
        sample_table(model, {start.to(type), classes, o.known, *sampler, grid, rng}, options);
    return {as_dataset(model, std::move(drawn.cells), classes), drawn.evaluations, drawn.rejected};
  }
  const Integration run = integrate(*guided(model, o), *sampler, grid, start.to(type), options);
  return {as_dataset(model, model.to_user(run.x), classes), run.evaluations, run.rejected};
} catch (...) {
  detail::throw_as_error();
}

Dataset sample(const Model& model, int64_t n, const Rng& rng, const SampleOptions& options) {
  return sample_counted(model, n, rng, options).rows;
}

}  // namespace fokker
