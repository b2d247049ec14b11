#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fokker/core/file/unfinished.h"

namespace fokker {

// A folder that holds more than what is replaced cannot be exchanged for another: its entries are, so that a
// kill leaves the old ones or, once whatever opens the folder next has called finish_replacement, the new
// ones.

/// Takes the entries of `folder` that `outgoing` names away, and puts those of `staged`, a folder inside it,
/// there. The rest stays. Resource error where the folder cannot be written to.
void replace_entries(const std::filesystem::path& folder, Unfinished& staged,
                     const std::vector<std::string>& outgoing);

/// Whether entries are between their places: another process is at it, or one was killed.
bool is_replacing(const std::filesystem::path& folder);

/// Finishes what a killed process had begun; nothing where there is nothing.
void finish_replacement(const std::filesystem::path& folder);

}  // namespace fokker
