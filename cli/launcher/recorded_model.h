#pragma once
#include <filesystem>
#include <optional>

#include "cli/model_report.h"

namespace fokker::cli {

/// A model folder as its files describe it, without building its network, which needs libtorch. Nothing where
/// they are not as this version writes them: of another version, unreadable, damaged, with weights that do
/// not fill their file or are not as many as were trained. The engine says what is wrong then.
std::optional<ModelDescription> recorded_model(const std::filesystem::path& folder);

}  // namespace fokker::cli
