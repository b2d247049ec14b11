#pragma once
#include "cli/option/command.h"
#include "fokker/distributed/ranks.h"

namespace fokker::cli {

/// --timeout, of a command that several processes run together.
void describe_ranks(Command& command, double& timeout);

/// Meets the other processes of this run, as the environment says, or is one alone. A rank beside the first
/// says nothing from now on: no messages, no progress.
Ranks join_ranks(double timeout);

/// "rank 1: " in a process that has joined as another than the first, else nothing.
std::string rank_prefix();

}  // namespace fokker::cli
