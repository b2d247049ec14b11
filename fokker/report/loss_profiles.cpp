// The loss over t of a model, and what it is compared with.
#include "fokker/report/loss_profiles.h"

#include <cmath>

#include "fokker/core/random/permutation.h"
#include "fokker/target/toys.h"

namespace fokker::report {
namespace {

constexpr int64_t kProfileRows = 1000;
constexpr int64_t kLawRows = 4000;
constexpr int64_t kProfileImages = 32;
constexpr int64_t kMostExactRows = 5000;

/// Rows of the model's space, and what the network must be told of them.
struct ModelRows {
  Tensor x, label;
  ModelRows first(int64_t count) const {
    return {x.narrow(0, 0, count), label.defined() ? label.narrow(0, 0, count) : label};
  }
};

/// Labels of rows that a network knows nothing of without; undefined where it does.
Tensor told_labels(const Model& model, const Dataset& rows) {
  if (model.network->knows_no_label()) return {};
  return rows.conditions.defined() ? model.condition.to_model(rows.conditions, at::kFloat) : rows.labels;
}

ModelRows model_rows(const Material& m, const Dataset& data, int64_t count, const char* stream) {
  const RowOrder order(Rng(m.options.seed).stream(stream), data.size());
  const Tensor rows = order.rows(0, std::min(count, data.size()));
  return {m.run.model.to_model(data.rows(rows)), told_labels(m.run.model, data.subset(rows))};
}

LossProfile measure(const Material& m, const Tensor& rows, const Denoiser& denoiser,
                    const std::vector<double>& times, at::TensorOptions type, const Tensor& label = {}) {
  const Weighting weighting = Weighting::from_name(weighting_of(m.run.model.training));
  const Tensor told = label.defined() && label.is_floating_point() ? label.to(type) : label;
  return loss_profile(denoiser, weighting, rows.to(type), times, Rng(m.options.seed).stream("loss profile"),
                      told);
}

/// How often each row meets noise, so that about `count` terms are averaged.
int64_t repeats_of(const Tensor& rows, int64_t count) {
  return std::max<int64_t>(1, count / rows.size(0));
}
Tensor repeated(const Tensor& rows, int64_t count) {
  if (!rows.defined()) return rows;
  std::vector<int64_t> times(static_cast<size_t>(rows.dim()), 1);
  times[0] = repeats_of(rows, count);
  return rows.repeat(times);
}
ModelRows repeated(const ModelRows& rows, int64_t count) {
  return {repeated(rows.x, count), repeated(rows.label, count)};
}

/// A row that comes again tells nothing new of the law: the error is at most that of the rows each counted
/// once.
LossProfile of_distinct_rows(LossProfile profile, int64_t repeats) {
  for (double& error : profile.standard_error) error *= std::sqrt(static_cast<double>(repeats));
  return profile;
}

/// The exact law in the model's space, where the target is a mixture.
std::optional<GaussianMixture> known_law(const Material& m) {
  const GaussianMixture* mixture = m.run.law ? as_gaussian_mixture(*m.run.law) : nullptr;
  if (!mixture) return {};
  return in_model_space(*mixture, m.run.model.normalisation);
}

/// The least loss where the law is known.
void add_optimum(Profiles& p, const GaussianMixture& law, const Tensor& rows, const Material& m) {
  const AnalyticDenoiser exact(law, m.run.model.spec.process);
  p.best = measure(m, rows, exact_as(exact, m.run.model.spec.native()), p.measured.times, at::kDouble);
  p.best_name = "Bayes-optimal loss";
  p.best_meaning =
      "The law of the data is known, and with it the least loss that any network can have: that of the exact "
      "denoiser, "
      "on the same rows and noise. What the model's loss has above it, training could still gain.";
}

/// The least loss on the training rows themselves.
void add_bound(Profiles& p, int64_t count, const Denoiser& denoiser, const Material& m,
               at::TensorOptions type) {
  const ModelRows rows = model_rows(m, m.run.data->training, kMostExactRows, "exact rows");
  const AnalyticDenoiser exact(GaussianMixture::empirical(rows.x.flatten(1).to(at::kDouble)),
                               m.run.model.spec.process);
  const ModelRows first = rows.first(std::min(count, rows.x.size(0))), some = repeated(first, count);
  p.best = measure(m, some.x, exact_as(exact, m.run.model.spec.native()), p.measured.times, at::kDouble);
  p.training = of_distinct_rows(measure(m, some.x, denoiser, p.measured.times, type, some.label),
                                repeats_of(first.x, count));
  p.best_name = "bound on training rows";
  p.best_meaning = fmt::format(
      "The law of the data is not known. The bound is the loss of the exact denoiser of {} training rows on "
      "these rows: but for the noise of the measurement no network can be below it there, and one that "
      "reached it would have memorised them. It bounds the loss on training rows alone and is no aim for the "
      "loss on held-out rows.",
      thousands(rows.x.size(0)));
}

}  // namespace

std::string weighting_of(const TrainingRecord& training) {
  const std::string name = training.weighting.value_or("uniform");
  const auto names = Weighting::names();
  return std::find(names.begin(), names.end(), name) == names.end() ? "uniform" : name;
}

Profiles measure_profiles(const Material& m) {
  const Model& model = m.run.model;
  const Split& data = *m.run.data;
  const int64_t count = m.images() ? kProfileImages : kProfileRows;
  const auto denoiser = model.denoiser();
  const auto type = model.network->parameters().front().tensor.options().requires_grad(false);
  const bool held_out = data.held_out.size() > 1;
  // A few held-out rows differ from the law by their own chance, and the optimum holds for the law alone.
  const auto law = known_law(m);
  const Rng rng = Rng(m.options.seed).stream("profile rows");
  const ModelRows distinct =
      law ? ModelRows{model.normalisation.apply(m.run.law->sample(kLawRows, rng), at::kFloat), {}}
          : model_rows(m, held_out ? data.held_out : data.training, count, "profile rows");
  const int64_t repeats = law ? 1 : repeats_of(distinct.x, count);
  const ModelRows rows = law ? distinct : repeated(distinct, count);
  Profiles p{
      .measured = of_distinct_rows(
          measure(m, rows.x, *denoiser, profile_times(model.spec.process, m.options.times), type, rows.label),
          repeats),
      .rows = law        ? "fresh draws of the law"
              : held_out ? "held-out rows"
                         : "training rows",
      .measured_rows = distinct.x.size(0),
      .training = {},
      .best = {},
      .best_name = {},
      .best_meaning = {}};
  if (law)
    add_optimum(p, *law, rows.x, m);
  else
    add_bound(p, count, *denoiser, m, type);
  if (!held_out) p.training.reset();
  return p;
}

}  // namespace fokker::report
