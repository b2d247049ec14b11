#include "cli/ranks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"

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

const std::vector<std::string>& shared_commands() {
  static const std::vector<std::string> names = {"train",  "sample", "likelihood", "score",
                                                 "encode", "decode", "evaluate"};
  return names;
}

void check_shared(const std::string& command) {
  const auto& shared = shared_commands();
  if (std::find(shared.begin(), shared.end(), command) != shared.end()) return;
  const auto given = [](const char* name) { return std::getenv(name) != nullptr; };
  // A variable of one of these names may be another program's.
  if (!given("RANK") || !given("WORLD_SIZE")) return;
  const RankPlace place = place_in_environment();
  check(place.size == 1,
        "this is process {} of {} (RANK, WORLD_SIZE), and several processes cannot share the work of '{}'; "
        "expected one process, or one of: {}",
        place.rank, place.size, command, join(shared));
}

std::string rank_prefix() {
  return joined_as > 0 ? fmt::format("rank {}: ", joined_as) : "";
}

}  // namespace fokker::cli
