#pragma once
#include <string_view>

namespace fokker {

/// What to save in place of a value that is made by a global which no tensor needs.
inline std::string_view pickle_advice(std::string_view global) {
  const auto of = [&](std::string_view package) { return global.starts_with(package); };
  if (of("torch.utils.data.") || of("torchvision.") || of("datasets."))
    return "of a data set save its tensors: torch.save((x, labels), ...)";
  if (of("numpy.")) return "save arrays with numpy.savez, or make tensors of them: torch.from_numpy";
  return "save the tensors alone: torch.save(model.state_dict(), ...)";
}

}  // namespace fokker
