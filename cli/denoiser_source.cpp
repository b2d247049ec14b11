#include "cli/denoiser_source.h"

#include "cli/registry.h"
#include "fokker/core/error.h"
#include "fokker/data/load.h"

namespace fokker::cli {
namespace {

DenoiserSource open_run(const CommonOptions& common, const std::string& run) {
  Model model = load_model(run);
  const auto type =
      at::TensorOptions(network_type(parse_precision(common.precision))).device(parse_device(common.device));
  model.network->to(type.device(), c10::typeMetaToScalarType(type.dtype()));
  auto denoiser = model.denoiser();
  return {.model = model,
          .denoiser = std::move(denoiser),
          .normalisation = model.normalisation,
          .event = model.event_shape(),
          .type = type,
          .columns = model.columns};
}

}  // namespace

Tensor DenoiserSource::load(const std::string& file) const {
  const Dataset data = load_data(file, {});
  check_input(data.event_shape() == event, "{}: expected rows of shape {} but it has {}", file,
              shape_string(event), shape_string(data.event_shape()));
  return normalisation.apply(data.values, c10::typeMetaToScalarType(type.dtype())).to(type.device());
}

DenoiserSource open_denoiser(const CommonOptions& common, const std::string& run, const std::string& target,
                             const std::string& process) {
  check(run.empty() != target.empty(), "expected either a run folder or --target");
  check(run.empty() || process.empty(), "process: a run has its own; expected --process with --target only");
  if (!run.empty()) return open_run(common, run);
  auto exact = std::make_unique<AnalyticDenoiser>(
      exact_denoiser(target, GaussianProcess(make_schedule(process.empty() ? "vp" : process))));
  const std::vector<int64_t> event{exact->target().dimension()};
  return {.model = {},
          .denoiser = std::move(exact),
          .normalisation = Normalisation::identity(event),
          .event = event,
          .type = at::kDouble,
          .columns = default_column_names(event[0])};
}

}  // namespace fokker::cli
