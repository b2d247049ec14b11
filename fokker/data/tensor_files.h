#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "fokker/core/tensor.h"

namespace fokker {

/// Whether an array of that name beside others holds labels: labels, label, y, Y or targets.
bool names_labels(std::string_view name);

/// Reads the tensors of a file by name; one without a name is the only one. `key`: which of them, or where
/// they are, of a file of torch.save; empty: all.
using TensorFileReader =
    std::function<std::map<std::string, Tensor>(const std::filesystem::path& path, const std::string& key)>;

/// How load_data comes to files of tensors (.pt .pth .safetensors), whose readers are in fokker/format. Part
/// of every program that links fokker.
void set_tensor_file_reader(TensorFileReader reader);
TensorFileReader tensor_file_reader();

/// Whether a file's extension is one of these.
bool has_tensor_extension(const std::filesystem::path& path);

}  // namespace fokker
