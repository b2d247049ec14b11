#pragma once
#include <filesystem>

#include "cli/model_report.h"

namespace fokker::cli {

/// What `inspect --check` says of a run or model folder.
struct RunCheck {
  Report report;
  std::vector<std::string> damage;  ///< a line for each damaged file
};

/// Reads every byte of the model, of the best one and of each checkpoint. Input error where the folder holds
/// none of them.
RunCheck check_run(const std::filesystem::path& folder);

}  // namespace fokker::cli
