#pragma once
/// Models as ONNX graphs: target fokker::onnx. A program that links it has export_model write them.

#include "fokker/onnx/onnx_file.h"
