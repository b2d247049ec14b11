#pragma once
#include <string>
#include <utility>
#include <vector>

#include "fokker/core/text/json.h"

namespace fokker::cli {

/// What `fokker inspect` says of a model. Without libtorch, for the launcher says it too.
struct ModelDescription {
  std::string folder;
  std::vector<int64_t> event_shape;
  int64_t parameters = 0;
  std::string prediction;
  std::vector<std::string> columns, labels, condition;
  std::string label_text, label_column;  ///< the labels as a line of text
  Json process, network, training;
  std::vector<std::pair<std::string, std::vector<int64_t>>> tensors;  ///< name and shape
};

struct Report {
  Json json;
  std::string text;
};

/// Tensors come in the order of their names.
Report report_of(ModelDescription model);

}  // namespace fokker::cli
