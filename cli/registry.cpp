#include "cli/registry.h"

#include <cmath>
#include <sstream>

#include "cli/option/data_options.h"
#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/normalisation.h"
#include "fokker/target/toys.h"

namespace fokker::cli {
namespace {

constexpr std::string_view target_prefix = "target:";

/// Times as a comma list or a file: neither is the name of a spacing.
bool lists_times(const std::string& text) {
  const auto names = grid_names();
  const bool named = std::find(names.begin(), names.end(), text.substr(0, text.find(':'))) != names.end();
  return !named && !text.empty() &&
         (std::isdigit(static_cast<unsigned char>(text[0])) || text[0] == '.' ||
          std::filesystem::exists(text));
}

std::vector<double> listed_times(const std::string& text) {
  if (!std::filesystem::exists(text)) return parse_numbers("grid", text);
  const Tensor times = load_rows(text).flatten().contiguous();
  return {times.data_ptr<double>(), times.data_ptr<double>() + times.numel()};
}

/// Each piece between commas, read as a number.
template <typename Parse>
auto parse_pieces(const std::string& text, Parse parse) {
  std::vector<decltype(parse(std::string_view()))> numbers;
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    numbers.push_back(parse(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return numbers;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

std::vector<double> parse_numbers(const char* option, const std::string& text) {
  return parse_pieces(text, [&](std::string_view piece) { return parse_real(option, piece); });
}

std::vector<int64_t> parse_counts(const char* option, const std::string& text) {
  return parse_pieces(text,
                      [&](std::string_view piece) { return parse_integer(option, piece, 1, 1'000'000'000); });
}

std::vector<std::string> split_specs(const std::string& text) {
  std::vector<std::string> specs;
  std::istringstream pieces(text);
  for (std::string piece; std::getline(pieces, piece, ',');) {
    const bool parameter = piece.find('=') != std::string::npos && piece.find(':') == std::string::npos;
    if (parameter && !specs.empty())
      specs.back() += ',' + piece;
    else
      specs.push_back(piece);
  }
  return specs;
}

TimeGrid make_grid(const SamplerChoice& choice, const GaussianProcess& process, const std::string& text,
                   int64_t steps) {
  const std::string given = steps == 0 ? "a list of times" : "--steps";
  check(choice.steps_set_by.empty() || (steps == 0 && !lists_times(text)),
        "{}: expected {} or {}, not both: each says how many times there are", choice.sampler->name(),
        choice.steps_set_by, given);
  if (!lists_times(text)) return sampler_grid(choice, process, text, steps);
  check(steps == 0, "grid: expected a list of times or --steps {}, not both", steps);
  return TimeGrid(listed_times(text));
}

Tensor flat_rows(const Dataset& data) {
  return (data.is_images() ? in_unit_range(data.values, at::kDouble) : data.values.to(at::kDouble))
      .flatten(1);
}

Tensor load_rows(const std::string& path, const LoadOptions& reading) {
  return flat_rows(read_data_file(path, reading));
}

std::optional<std::string> named_target(const std::string& text) {
  if (!text.starts_with(target_prefix)) return {};
  return text.substr(target_prefix.size());
}

std::unique_ptr<Distribution> target_from(const std::string& spec, const LoadOptions& reading) {
  return make_target(spec, [&](const std::string& path) { return load_rows(path, reading); });
}

Dataset draw_rows(const std::string& target, int64_t count, const Rng& rng, const LoadOptions& reading) {
  const auto law = target_from(target, reading);
  check(law->can_sample(), "target '{}' cannot be sampled", target);
  const Tensor values = law->sample(count, rng);
  return {.values = values,
          .columns = default_column_names(values.size(1)),
          .labels = {},
          .label_names = {},
          .source = std::string(target_prefix) + target};
}

GaussianProcess process_or_default(const std::string& spec) {
  return GaussianProcess(make_schedule(spec.empty() ? "vp" : spec));
}

AnalyticDenoiser exact_denoiser(const std::string& target, const GaussianProcess& process,
                                const LoadOptions& reading) {
  const auto distribution = target_from(target, reading);
  const GaussianMixture* mixture = as_gaussian_mixture(*distribution);
  check(mixture != nullptr,
        "target '{}' has no closed form under noise; use a Gaussian mixture (a built-in one, a JSON file) or "
        "data:FILE",
        target);
  return AnalyticDenoiser(*mixture, process);
}

}  // namespace fokker::cli
