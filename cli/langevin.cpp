#include "cli/langevin.h"

#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/text/spec.h"
#include "fokker/sample/chain/langevin.h"

namespace fokker::cli {

std::vector<std::string> chain_names() {
  return {"ula", "mala", "underdamped-langevin"};
}

bool is_chain(const std::string& sampler) {
  const auto names = chain_names();
  return std::find(names.begin(), names.end(), sampler.substr(0, sampler.find(':'))) != names.end();
}

KernelChoice make_kernel(const std::string& text, double step_size) {
  Spec spec("sampler", text);
  const auto step = [&](double usual) {
    const double given = spec.number("step", usual);
    return step_size > 0 ? step_size : given;
  };
  KernelChoice choice;
  if (spec.name() == "ula") choice.kernel = std::make_unique<Ula>(step(0.05));
  if (spec.name() == "mala") choice.kernel = std::make_unique<Mala>(step(0.5));
  if (spec.name() == "underdamped-langevin")
    choice.kernel = std::make_unique<UnderdampedLangevin>(
        UnderdampedLangevin::Options{.step = step(0.2), .friction = spec.number("friction", 1.0)});
  if (!choice.kernel) spec.unknown_name(chain_names());
  choice.time = spec.number("time", -1.0);
  check(choice.time <= 1, "{}: expected a time in [0, 1] but received {}", spec.name(), choice.time);
  spec.finish();
  return choice;
}

Tensor chain_start(const std::string& text, int64_t n, std::vector<int64_t> event, const Rng& rng) {
  event.insert(event.begin(), n);
  if (text.empty()) return rng.stream("prior").normal(event, {}, at::kDouble);
  const auto point = parse_numbers("start", text);
  check(static_cast<int64_t>(point.size()) == event_size(event), "start: expected {} numbers but received {}",
        event_size(event), point.size());
  event[0] = 1;
  const Tensor row = at::tensor(at::ArrayRef<double>(point), at::TensorOptions(at::kDouble)).reshape(event);
  event[0] = n;
  return row.expand(event).contiguous();
}

}  // namespace fokker::cli
