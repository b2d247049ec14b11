#pragma once
#include <filesystem>

#include "fokker/data/dataset.h"

namespace fokker {

/// Reads a file of the binary version of CIFAR-10 (records of a label and 3072 levels) or CIFAR-100 (a coarse
/// label, a fine one, and 3072 levels): images (n, 3, 32, 32) uint8, and labels by their names, of CIFAR-100
/// the fine ones. Which of the two is told by the length; where both fit it, by the labels. Input error,
/// naming the byte of a label that is none.
Dataset load_cifar(const std::filesystem::path& path);

}  // namespace fokker
