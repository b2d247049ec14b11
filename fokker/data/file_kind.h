#pragma once
#include <filesystem>

namespace fokker {

/// What a file of data is, by its extension.
enum class FileKind { csv, npy, npz, tensors, idx, cifar, image, folder };

/// Input error where there is no such file, or its kind is not known, listing those that are.
FileKind kind_of(const std::filesystem::path& path);

}  // namespace fokker
