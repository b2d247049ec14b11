#pragma once
#include <map>
#include <string>

#include "fokker/format/torch/torch_content.h"

namespace fokker {

/// TorchFile::read_data.
std::map<std::string, Tensor> torch_data(const TorchContent& file, const std::string& key);

}  // namespace fokker
