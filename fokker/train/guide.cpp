#include "fokker/train/guide.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/columns.h"
#include "fokker/data/labels.h"
#include "fokker/nn/placement.h"

namespace fokker {
namespace {

/// To rounding: a guide was perhaps trained on another machine.
bool same_normalisation(const Normalisation& a, const Normalisation& b, int64_t dimension) {
  if (a.kind() != b.kind() || a.event_shape() != b.event_shape()) return false;
  if (a.is_images()) return true;
  // Affine maps that agree on the origin and a basis are the same.
  const Tensor points = at::cat({at::zeros({1, dimension}, at::kDouble), at::eye(dimension, at::kDouble)});
  const Tensor from = a.invert(points), to = b.invert(points);
  return at::allclose(from, to, 1e-6, 1e-6 * from.abs().max().item<double>());
}

bool same_space(const Model& model, const Model& guide) {
  if (static_cast<bool>(model.table) != static_cast<bool>(guide.table)) return false;
  if (model.table) return model.table->to_json() == guide.table->to_json();
  return same_normalisation(model.normalisation, guide.normalisation, model.normalisation.dimension());
}

bool same_conditions(const ConditionMap& a, const ConditionMap& b) {
  if (a.columns != b.columns || a.scale.has_value() != b.scale.has_value()) return false;
  return !a.scale || same_normalisation(*a.scale, *b.scale, a.size());
}

}  // namespace

void check_guide(const Model& model, const Model& guide, bool labelled, const std::string& name) try {
  const auto kind = [](const Model& of) { return of.is_image() ? "images" : "a table"; };
  check(model.is_image() == guide.is_image(), "{}: expected a model of {} but received one of {}", name,
        kind(model), kind(guide));
  check(model.columns == guide.columns, "{}: expected a model of the same columns, {}, but its own are {}",
        name, list_columns(model.columns), list_columns(guide.columns));
  check(model.event_shape() == guide.event_shape(),
        "{}: expected a model of rows of shape {} but received {}", name, shape_string(model.event_shape()),
        shape_string(guide.event_shape()));
  check(same_space(model, guide),
        "{}: expected a model with the same {} but it differs: it was fitted to other data", name,
        model.table ? "schema and maps of columns" : "normalisation");
  const auto different = first_difference(model.spec.process, guide.spec.process);
  check(!different, "{}: expected a model of the process {} but its own is {}", name,
        model.spec.process.schedule()->config().dump(), guide.spec.process.schedule()->config().dump());
  check(!labelled || same_conditions(model.condition, guide.condition),
        "{}: expected a model of the same conditions, {}, but its own are {}{}", name,
        list_columns(model.condition.columns), list_columns(guide.condition.columns),
        model.condition.columns == guide.condition.columns ? ", of other means or deviations" : "");
  check(!labelled || model.label_names == guide.label_names,
        "{}: expected a model of the same labels, {}, but its own are {}", name,
        list_labels(model.label_names),
        guide.label_names.empty() ? std::string("none") : list_labels(guide.label_names));
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> guide_of(const Model& model, const Model& guide, Precision precision) try {
  Model used = guide;
  const at::TensorOptions type = input_type(*model.network);
  const Precision suitable = precision_of_samples(*guide.network, precision);
  if (suitable != Precision::automatic) {
    used.network = guide.network->clone();
    place(*used.network, type.device(), suitable);
  }
  const at::TensorOptions own = input_type(*used.network);
  check(own.dtype() == type.dtype() && own.device() == type.device(),
        "guide: expected a network that computes in {} but it computes in {}",
        c10::toString(c10::typeMetaToScalarType(type.dtype())),
        c10::toString(c10::typeMetaToScalarType(own.dtype())));
  return used.denoiser();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
