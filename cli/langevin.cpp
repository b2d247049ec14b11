#include "cli/langevin.h"

#include "cli/registry.h"
#include "fokker/core/check.h"

namespace fokker::cli {

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
