// What a trainer keeps on disk, and what it takes back.
#include <algorithm>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/manifest.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/format/safetensors.h"
#include "fokker/train/problem.h"
#include "fokker/train/trainer.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr const char *state_file = "state.json", *best_file = "best.safetensors";
/// Since 2 a state has a manifest.
constexpr int state_format = 2;

/// Does work that reads a state: what it refuses is damaged.
template <typename Work>
auto reading_state(Work work) {
  try {
    return work();
  } catch (const DamageError&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::input) throw DamageError(error.what());
    throw;
  }
}

Json read_state(const fs::path& file) {
  Json state = read_json(file);
  const auto is = [&](const char* key, bool (Json::*test)() const noexcept) {
    return state.is_object() && state.contains(key) && (state[key].*test)();
  };
  check_input(is("step", &Json::is_number_unsigned) && state["step"].get<uint64_t>() <= INT64_MAX &&
                  is("seconds", &Json::is_number) && state["seconds"].get<double>() >= 0,
              "{}: expected numbers 'step' and 'seconds' >= 0", file.string());
  return state;
}

/// Counters that a state has since they were; `read` throws JSON's own errors.
template <typename Read>
void read_counter(const Json& state, const char* key, const fs::path& file, Read read) {
  if (!state.contains(key)) return;
  try {
    read(state[key]);
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: {}: {}", file.string(), key, error.what());
  }
}

/// The tensors of a file in the order of `like`, whose names and shapes they must have.
std::vector<Tensor> read_tensors(const fs::path& file, const std::vector<NamedTensor>& like) {
  const auto stored = load_safetensors(file).tensors;
  std::vector<Tensor> found;
  found.reserve(like.size());
  for (const auto& [name, view] : like) {
    const auto at =
        std::find_if(stored.begin(), stored.end(), [&name = name](const auto& t) { return t.name == name; });
    check_input(at != stored.end() && at->tensor.sizes() == view.sizes(),
                "{}: expected a tensor '{}' of shape {}", file.string(), name, shape_string(view));
    check_input(at->tensor.isfinite().all().item<bool>(), "{}: tensor '{}' holds numbers that are not finite",
                file.string(), name);
    found.push_back(at->tensor);
  }
  return found;
}

}  // namespace

std::vector<std::pair<std::string, Tensor>> Trainer::kept_tensors() const {
  return {{"network.safetensors", parameters_->values()},
          {"average.safetensors", averages_->values()},
          {"first_moment.safetensors", first_moment_},
          {"second_moment.safetensors", second_moment_}};
}

void Trainer::save_state(const fs::path& folder) const try {
  std::vector<std::string> files;
  const auto kept = kept_tensors();
  files.reserve(kept.size() + 2);
  for (const auto& [name, flat] : kept) {
    save_safetensors(folder / name, named_views(*network_, flat), {});
    files.push_back(name);
  }
  if (best_weights_.defined()) {
    save_safetensors(folder / best_file, named_views(*network_, best_weights_), {});
    files.emplace_back(best_file);
  }
  Json state = {{"format", state_format},
                {"step", step_},
                {"seconds", seconds_},
                {"watch", watch_.to_json()},
                {"untold", untold_.to_json()}};
  if (incidents_.any()) state["incidents"] = incidents_.to_json();
  if (best_) state["best"] = best_->to_json();
  state["problem"] = problem();
  write_file_atomically(folder / state_file, json_text(state, 2) + "\n");
  files.emplace_back(state_file);
  write_manifest(folder, files);
} catch (...) {
  detail::throw_as_error();
}

Json Trainer::problem() const {
  Json problem = model_record(*network_, spec_, normalisation_);
  if (!described_.contains("data")) {
    if (!data_record_) data_record_ = data_record(data_);
    problem["data"] = *data_record_;
  }
  problem["seed"] = rng_.seed();
  problem["batch"] = options_.batch;
  problem.update(described_);
  return problem;
}

/// Input error, naming each difference, unless the state is of this problem; false where it does not say.
bool Trainer::check_same_problem(const Json& state, const fs::path& folder) const {
  const bool recorded = state.contains("problem");
  Json before = recorded ? state["problem"] : state, now = problem();
  if (!recorded)  // of an earlier version
    for (Json* json : {&before, &now})
      *json = {{"network", json->value("network", Json())},
               {"seed", json->value("seed", Json())},
               {"batch", json->value("batch", Json())}};
  const auto changes = differences(before, now);
  check_input(changes.empty(),
              "{}: cannot be resumed, as it belongs to other settings or data: {}; resume with the same, or "
              "train a new run",
              folder.string(), join(changes));
  return recorded;
}

Verification Trainer::verify_state(const fs::path& folder) try {
  Verification found = verify_folder(folder);
  if (found.recorded) return found;
  try {
    const Json state = read_state(folder / state_file);
    if (state.value("format", 1) >= state_format)
      found.damage.push_back(fmt::format("{}: is missing", (folder / manifest_name).string()));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    found.damage.emplace_back(error.what());
  }
  return found;
} catch (...) {
  detail::throw_as_error();
}

bool Trainer::load_state(const fs::path& folder) try {
  const Verification verified = verify_state(folder);
  if (!verified.damage.empty()) throw DamageError(verified.damage.front());
  const Json state = reading_state([&] { return read_state(folder / state_file); });
  const bool recorded = check_same_problem(state, folder);
  if (!verified.recorded)
    message(fmt::format("{}: written by an earlier version: it carries no checksums", folder.string()));
  const bool with_best = options_.keep_best && state.contains("best") && fs::exists(folder / best_file);
  auto kept = kept_tensors();
  if (with_best) kept.emplace_back(best_file, at::empty_like(averages_->values()));
  std::vector<std::vector<Tensor>> stored;
  Incidents incidents;
  LossWatch watch;
  std::optional<UntoldSteps> untold;
  std::optional<BestHeldOut> best;
  stored.reserve(kept.size());
  reading_state([&] {
    const fs::path file = folder / state_file;
    read_counter(state, "incidents", file, [&](const Json& json) { incidents = Incidents::from_json(json); });
    read_counter(state, "watch", file, [&](const Json& json) { watch = LossWatch::from_json(json); });
    read_counter(state, "untold", file, [&](const Json& json) { untold = UntoldSteps::from_json(json); });
    read_counter(state, "best", file, [&](const Json& json) { best = BestHeldOut::from_json(json); });
    for (const auto& [name, flat] : kept)
      stored.push_back(read_tensors(folder / name, named_views(*network_, flat)));
  });
  const GradientMode no_gradients(false);
  for (size_t i = 0; i < kept.size(); ++i) {
    const auto views = named_views(*network_, kept[i].second);
    for (size_t j = 0; j < views.size(); ++j) views[j].tensor.copy_(stored[i][j]);
  }
  step_ = loaded_step_ = state["step"].get<int64_t>();
  seconds_ = state["seconds"].get<double>();
  incidents_ = incidents;
  watch_ = watch;
  untold_ = untold.value_or(UntoldSteps{.before = incidents});
  // With weights to keep, a best that came without any would never be replaced by one that has.
  best_ = with_best || !options_.keep_best ? best : std::nullopt;
  best_weights_ = with_best ? kept.back().second : Tensor();
  return recorded;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
