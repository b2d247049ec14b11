#pragma once
#include <string>

#include "fokker/format/graph/graph.h"

namespace fokker {

/// A graph as the bytes of an ONNX model (IR version 7, operator set 13), as ONNX's own checker has approved
/// it; texts of the model are its metadata. Argument error where it exceeds the 2 GiB of a protocol buffer.
std::string encode_onnx(const Graph& graph, const std::map<std::string, std::string>& texts = {});

}  // namespace fokker
