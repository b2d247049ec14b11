#pragma once
#include <filesystem>
#include <string>

namespace fokker {

/// A file that PyTorch wrote (script/peers-torch-files).
inline std::filesystem::path torch_fixture(const std::string& name) {
  return std::filesystem::path(FOKKER_SOURCE_DIR) / "tests/format/torch" / name;
}

}  // namespace fokker
