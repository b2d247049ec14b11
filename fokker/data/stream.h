#pragma once
#include <optional>

#include "fokker/data/load.h"

namespace fokker {

/// The data of a file whose rows stay on disk, where `options.stream` asks for that; `note` says so, or why
/// not where it was wanted. Argument error where it cannot be and must; input errors as load_data's.
std::optional<Dataset> stored_data(const std::filesystem::path& path, const LoadOptions& options,
                                   std::string& note);

/// Images in the channels and the size that are wanted.
Rows stored_as_asked(Rows images, const LoadOptions& options);

}  // namespace fokker
