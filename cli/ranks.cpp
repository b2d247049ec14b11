#include "cli/ranks.h"

#include <cmath>

#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"

namespace fokker::cli {
namespace {

int64_t joined_as = 0;

}  // namespace

void describe_ranks(Command& command, double& timeout) {
  const std::string before = command.heading("Several processes");
  command.option("--timeout", timeout,
                 "Seconds after which a process that does not answer is lost, and all end with exit code 6");
  command.heading(before);
}

Ranks join_ranks(double timeout) {
  check(timeout >= 0.1 && timeout <= 1e6, "timeout: expected 0.1 to 1e6 seconds but received {:g}", timeout);
  const RankPlace place = place_in_environment();
  joined_as = place.rank;
  if (place.rank > 0) be_silent();
  Ranks ranks = Ranks::join(place, std::chrono::milliseconds(std::llround(1000 * timeout)));
  if (!ranks.alone())
    message(fmt::format("rank 0 of {} processes ({})", ranks.size(), distributed_backend()));
  return ranks;
}

std::string rank_prefix() {
  return joined_as > 0 ? fmt::format("rank {}: ", joined_as) : "";
}

}  // namespace fokker::cli
