#pragma once
#include <filesystem>
#include <string>

#include "fokker/core/error.h"

namespace fokker {

/// Does work that writes under a hidden name: its resource errors name the place that the user knows.
template <typename Work>
void with_errors_of(const std::filesystem::path& shown, const std::filesystem::path& hidden, Work work) {
  try {
    work();
  } catch (const Error& error) {
    std::string text = error.what();
    const size_t at = text.find(hidden.string());
    if (error.kind() != ErrorKind::resource || at == std::string::npos) throw;
    throw Error(error.kind(), text.replace(at, hidden.string().size(), shown.string()));
  }
}

}  // namespace fokker
