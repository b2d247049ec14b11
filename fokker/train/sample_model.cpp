#include "fokker/train/sample_model.h"

#include <utility>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/labels.h"
#include "fokker/nn/placement.h"
#include "fokker/sample/method/exponential/unipc.h"
#include "fokker/sample/samplers.h"
#include "fokker/train/guide.h"
#include "fokker/train/sample_table.h"

namespace fokker {
namespace {

double clip_limit(const Model& model, std::optional<double> clip) {
  return clip.value_or(model.sampling.clip.value_or(model.is_image() ? 1.0 : 0.0));
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

/// The conditions of all rows in the user's units, (n, k) float64; undefined without any.
Tensor conditions_of(const Model& model, int64_t n, const Tensor& given) {
  if (!given.defined()) return {};
  check(model.condition.any(), "conditions: the model was trained without any but received rows of shape {}",
        shape_string(given));
  const int64_t k = model.condition.size();
  check(given.dim() == 2 && given.size(1) == k && (given.size(0) == 1 || given.size(0) == n),
        "conditions: expected 1 or {} rows of {} numbers, {}, but received shape {}", n, k,
        join(model.condition.columns), shape_string(given));
  return given.to(at::kCPU, at::kDouble).expand({n, k}).contiguous();
}

/// The cells that are known, and those of the conditions of a table with a schema, which must be among them.
KnownCells known_cells(const Model& model, const KnownCells& known, const Tensor& conditions) {
  const ConditionMap& condition = model.condition;
  if (!model.table || !condition.any()) return known;
  const Tensor places = at::tensor(condition.places, at::kLong);
  KnownCells all = known;
  if (conditions.defined()) {
    const int64_t n = conditions.size(0), columns = model.table->schema().size();
    all.cells = known.any() ? known.cells.to(at::kDouble).expand({n, -1}).clone()
                            : at::zeros({n, columns}, at::TensorOptions(at::kDouble));
    all.known = known.any() ? known.known.expand({n, -1}).clone()
                            : at::zeros({n, columns}, at::TensorOptions(at::kBool));
    all.cells.index_copy_(1, places, conditions);
    all.known.index_fill_(1, places, true);
  }
  check(
      all.any() && all.known.index_select(1, places).all().item<bool>(),
      "conditions: expected single values of {} in every row: the model draws the other columns given these",
      join(condition.columns));
  return all;
}

/// What is asked of all rows.
struct Asked {
  Tensor classes;     ///< (n) or undefined
  Tensor conditions;  ///< (n, k) in the user's units, or undefined
  /// As the network is told.
  Tensor label(const Model& model) const {
    if (!conditions.defined() || model.table) return classes;
    const at::TensorOptions type = input_type(*model.network);
    return model.condition.to_model(conditions, c10::typeMetaToScalarType(type.dtype())).to(type.device());
  }
  bool any() const { return classes.defined() || conditions.defined(); }
};

/// Guided by the other model, or towards what is asked, and clipped.
std::shared_ptr<const Denoiser> guided(const Model& model, const SampleOptions& o, const Asked& asked) {
  std::shared_ptr<const Denoiser> denoiser = model.denoiser();
  if (o.guide)
    denoiser = std::make_shared<AutoguidedDenoiser>(denoiser, guide_of(model, *o.guide, o.precision),
                                                    o.guidance, o.guidance_interval);
  else if (asked.any())
    denoiser = std::make_shared<GuidedDenoiser>(denoiser, o.guidance, o.guidance_interval);
  const double limit = clip_limit(model, o.clip);
  return limit != 0 ? std::make_shared<ClippedDenoiser>(denoiser, limit) : denoiser;
}

/// Values in the user's units, with all that the model knows of them.
Dataset as_dataset(const Model& model, Tensor values, const Asked& asked) {
  Dataset rows{.values = std::move(values), .columns = model.columns};
  rows.schema = model.schema();
  rows.format = model.format;
  if (asked.conditions.defined() && !model.table) {
    rows.conditions = asked.conditions;
    rows.condition_columns = model.condition.columns;
    rows.condition_places = model.condition.places;
  }
  if (!asked.classes.defined()) return rows;
  rows.labels = asked.classes;
  rows.label_names = model.label_names;
  rows.label_column = model.label_column;
  return rows;
}

/// The rows of a part; what all rows have in common, or nobody has, stays.
Tensor part_of(const Tensor& rows, const std::optional<Share>& part, int64_t n) {
  return part && rows.defined() && rows.size(0) == n ? rows.narrow(0, part->first, part->count) : rows;
}

void check_part(const std::optional<Share>& part, int64_t n) {
  check(!part || (part->first >= 0 && part->count >= 0 && part->first + part->count <= n),
        "part: expected rows among {} but received {} from {}", n, part ? part->count : 0,
        part ? part->first : 0);
}

void check_sampled(const Model& model, int64_t n, const SampleOptions& o) {
  check(n > 0, "sample: expected n > 0 but received {}", n);
  check(o.batch >= 0, "sample: expected batch > 0 but received {}", o.batch);
  check(std::isfinite(o.guidance), "guidance: expected a finite weight but received {}", o.guidance);
  check(o.guidance == 1 || o.guide || model.network->knows_no_label(),
        "guidance: expected 1, as the network knows no rows without a label that it could weigh against, but "
        "received {}; of an imported table of classes `import --unconditional CLASS` names one",
        o.guidance);
  check_part(o.part, n);
  check(!o.part || o.ranks.alone(), "part: expected one process, or all rows of several");
  check(!o.known.any() || model.table, "known cells: expected a model of a table with a schema");
  check(!model.table || o.clip.value_or(0) == 0,
        "clip: expected none of a table with a schema, whose cells are never beyond those of the training");
}

/// With a copy of the network where samples are computed in another precision.
Model in_precision(Model model, Precision asked) {
  const Precision precision = precision_of_samples(*model.network, asked);
  if (precision == Precision::automatic) return model;
  const at::Device device = input_type(*model.network).device();
  model.network = model.network->clone();
  place(*model.network, device, precision);
  return model;
}

/// The method asked for, else the model's own, else UniPC.
std::shared_ptr<const Sampler> sampler_for(const Model& model, const SampleOptions& o) {
  if (o.sampler) return o.sampler;
  if (model.sampling.sampler.empty()) return std::make_shared<UniPc>(UniPc::Options{.order = 3});
  return make_sampler(model.sampling.sampler, model.spec.process).sampler;
}

/// The grid asked for; with the model's own method its own, else the usual one.
TimeGrid grid_for(const Model& model, const SampleOptions& o, bool of_table) {
  if (o.grid) return *o.grid;
  if (of_table) return table_grid(model.spec.process, o.steps);
  return o.sampler || model.sampling.grid.empty()
             ? usual_grid(model.spec.process, o.steps)
             : make_grid(model.sampling.grid, model.spec.process, o.steps);
}

/// Where rows begin, (n, event...).
Tensor start_of(const Model& model, int64_t n, const Rng& rng, const SampleOptions& o) {
  const at::TensorOptions type = input_type(*model.network);
  std::vector<int64_t> shape{n};
  for (const int64_t size : model.event_shape()) shape.push_back(size);
  check(!o.start.defined() || o.start.sizes() == at::IntArrayRef(shape),
        "start: expected rows of shape {} but received {}", shape_string(shape),
        o.start.defined() ? shape_string(o.start) : "");
  if (o.start.defined()) return part_of(o.start, o.part, n).to(type);
  if (o.part) shape[0] = o.part->count;
  const int64_t first = o.part ? o.part->first : 0;
  return model.spec.process.sample_prior(shape, rng.stream("prior").noise_source(type), first).to(type);
}

/// All rows, of which ranks draw a part each.
ModelSamples sample_shared(const Model& model, int64_t n, const Rng& rng, SampleOptions o) {
  const Ranks ranks = std::exchange(o.ranks, {});
  const int64_t batch = o.batch > 0 ? o.batch : usual_batch(model);
  o.part = share_of_samples(ranks, *sampler_for(model, o), n, batch);
  ModelSamples drawn;
  ranks.on_each([&] {
    if (o.part->count > 0) drawn = sample_counted(model, n, rng, o);
  });
  const Asked asked{classes_of(model, n, o.labels), conditions_of(model, n, o.conditions)};
  ModelSamples all{as_dataset(model, ranks.gather_rows(drawn.rows.values), asked), drawn.evaluations};
  const auto counts = ranks.gather({{"evaluations", drawn.evaluations}, {"rejected", drawn.rejected}});
  for (const Json& of_rank : counts) {
    all.evaluations = std::max(all.evaluations, of_rank["evaluations"].get<int64_t>());
    all.rejected += of_rank["rejected"].get<int64_t>();
  }
  return all;
}

}  // namespace

int64_t class_of(const Model& model, const std::string& label) {
  check(!model.label_names.empty(), "label: the model was trained without labels but received '{}'", label);
  const auto found = find_label(model.label_names, label);
  check(found.has_value(), "label: expected one of those in training, {}, but received '{}'",
        list_labels(model.label_names), label);
  return *found;
}

Tensor conditions_of_rows(const Model& model, const Dataset& rows, int64_t n) try {
  check(model.condition.any() && rows.size() > 0, "conditions: expected rows, and a model with conditions");
  const Tensor which = at::arange(n, at::kLong).remainder(rows.size());
  if (rows.conditions.defined()) return rows.conditions.index_select(0, which);
  return rows.rows(which).index_select(1, at::tensor(model.condition.places, at::kLong));
} catch (...) {
  detail::throw_as_error();
}

void ask_as_rows(const Model& model, const Dataset* rows, int64_t n, SampleOptions& options) try {
  const bool needed = !model.network->knows_no_label();
  if (model.condition.any() && rows) options.conditions = conditions_of_rows(model, *rows, n);
  if (!needed || options.conditions.defined()) return;
  check(!model.condition.any(),
        "conditions: the model draws nothing without; expected rows that have them, {}",
        join(model.condition.columns));
  const std::vector<std::string>& names = model.label_names;
  const bool labelled = rows && rows->labels.defined() && rows->size() > 0;
  const Tensor classes = labelled ? rows->labels.cpu() : Tensor();
  options.labels.clear();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t place = labelled ? classes[i % rows->size()].item<int64_t>() : i % std::ssize(names);
    options.labels.push_back(names.at(static_cast<size_t>(place)));
  }
} catch (...) {
  detail::throw_as_error();
}

TimeGrid usual_grid(const GaussianProcess& process, int64_t steps) {
  return make_grid(make_sampler("unipc", process).grid, process, steps);
}

Share share_of_samples(const Ranks& ranks, const Sampler& sampler, int64_t n, int64_t block) {
  return sampler.adaptive() ? ranks.share_blocks(n, block) : ranks.share(n);
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

int64_t usual_batch(const Model& model) {
  const int64_t usual = usual_batch(model.event_shape());
  constexpr int64_t most_numbers = 1 << 22;
  return model.table ? std::clamp<int64_t>(most_numbers / (model.table->layout().levels() + 1), 64, usual)
                     : usual;
}

ModelSamples sample_counted(const Model& given, int64_t n, const Rng& rng, const SampleOptions& o) try {
  check_sampled(given, n, o);
  if (!o.ranks.alone()) return sample_shared(given, n, rng, o);
  const Model model = in_precision(given, o.precision);
  Asked asked{classes_of(model, n, o.labels), conditions_of(model, n, o.conditions)};
  KnownCells known = known_cells(model, o.known, asked.conditions);
  for (Tensor* of_rows : {&asked.classes, &asked.conditions, &known.cells, &known.known, &known.present})
    *of_rows = part_of(*of_rows, o.part, n);
  if (o.guide) check_guide(model, *o.guide, asked.any());
  const bool guided_table = model.table && (o.guide || asked.any()) && o.guidance != 1;
  check(!guided_table || !known.any(), "guidance: expected a weight of 1 beside known cells but received {}",
        o.guidance);
  const std::shared_ptr<const Sampler> sampler = sampler_for(model, o);
  const TimeGrid grid = grid_for(model, o, model.table && !guided_table);
  check(!grid.towards_noise(),
        "sample: expected a grid from noise to data but received one from t = {} to {}", grid.times().front(),
        grid.times().back());
  const Tensor start = start_of(model, n, rng, o);
  IntegrateOptions options{.noise = rng.stream("sampler").noise_source(input_type(*model.network)),
                           .first_sample = o.part ? o.part->first : 0,
                           .block = o.batch > 0 ? o.batch : usual_batch(model),
                           .observers = o.observers,
                           .labels = asked.label(model)};
  if (model.table && !guided_table) {
    TableSamples drawn = sample_table(model, {start, asked.classes, known, *sampler, grid, rng}, options);
    return {as_dataset(model, std::move(drawn.cells), asked), drawn.evaluations, drawn.rejected};
  }
  const Integration run = integrate(*guided(model, o, asked), *sampler, grid, start, options);
  return {as_dataset(model, model.to_user(run.x), asked), run.evaluations, run.rejected};
} catch (...) {
  detail::throw_as_error();
}

Dataset sample(const Model& model, int64_t n, const Rng& rng, const SampleOptions& options) {
  return sample_counted(model, n, rng, options).rows;
}

}  // namespace fokker
