#pragma once
#include <cstdint>
#include <string>

namespace fokker {

/// Where this process stands among those of one run, as its launcher says in the environment.
struct RankPlace {
  int64_t rank = 0, size = 1;
  int64_t local_rank = 0;             ///< among those of this machine
  std::string address = "127.0.0.1";  ///< of rank 0, which listens there and nowhere else
  int64_t port = 29500;
  std::string token = {};  ///< what a process must know to be let in, where it is not empty
  int64_t listening = -1;  ///< a socket that listens there already, which rank 0 was given
};

/// Of RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, as torchrun sets them, and FOKKER_TOKEN; one
/// process where neither RANK nor WORLD_SIZE is set. Where torchrun keeps MASTER_PORT for itself
/// (TORCHELASTIC_USE_AGENT_STORE) it is the port after it. Argument error, naming the variable, where they
/// make no sense.
RankPlace place_in_environment();

}  // namespace fokker
