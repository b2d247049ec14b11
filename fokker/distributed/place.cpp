#include "fokker/distributed/place.h"

#include <cstdlib>
#include <optional>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"

namespace fokker {
namespace {

constexpr int64_t most_ranks = 65536, most_port = 65535;

std::optional<std::string> variable(const char* name) {
  const char* text = std::getenv(name);
  return text && *text ? std::optional<std::string>(text) : std::nullopt;
}

/// Of a number; `usual` where it is not set.
int64_t number(const char* name, int64_t usual, int64_t least, int64_t most) {
  const auto text = variable(name);
  return text ? parse_integer(name, *text, least, most) : usual;
}

}  // namespace

RankPlace place_in_environment() {
  const bool ranked = variable("RANK").has_value(), sized = variable("WORLD_SIZE").has_value();
  check(ranked == sized, "{} is set but {} is not: expected both, of a process among several, or neither",
        ranked ? "RANK" : "WORLD_SIZE", ranked ? "WORLD_SIZE" : "RANK");
  RankPlace place;
  if (!ranked) return place;
  place.size = number("WORLD_SIZE", 1, 1, most_ranks);
  place.rank = number("RANK", 0, 0, most_ranks);
  check(place.rank < place.size, "RANK: expected a number below WORLD_SIZE = {} but received {}", place.size,
        place.rank);
  place.local_rank = number("LOCAL_RANK", 0, 0, place.size - 1);
  place.address = variable("MASTER_ADDR").value_or(place.address);
  place.port = number("MASTER_PORT", place.port, 1, most_port);
  if (variable("TORCHELASTIC_USE_AGENT_STORE") == "True") {
    check(place.port < most_port, "MASTER_PORT: expected a number below {}, as torchrun keeps this one",
          most_port);
    ++place.port;
  }
  place.token = variable("FOKKER_TOKEN").value_or("");
  if (place.rank == 0) place.listening = number("FOKKER_LISTENING", -1, 0, INT32_MAX);
  return place;
}

}  // namespace fokker
