#pragma once
#include "cli/option/command.h"
#include "fokker/distributed/ranks.h"

namespace fokker::cli {

constexpr double usual_rank_timeout = 0.001 * static_cast<double>(Ranks::usual_timeout.count());

/// --timeout, of a command that several processes run together.
void describe_ranks(Command& command, double& timeout);

/// Meets the other processes of this run, as the environment says, or is one alone. A rank beside the first
/// says nothing from now on: no messages, no progress.
Ranks join_ranks(double timeout);

/// Of which several processes can share the work.
const std::vector<std::string>& shared_commands();

/// Argument error where a command that processes cannot share is one of several processes: each would do all
/// of it, and write over the others' files.
void check_shared(const std::string& command);

/// "rank 1: " in a process that has joined as another than the first, else nothing.
std::string rank_prefix();

}  // namespace fokker::cli
