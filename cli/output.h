#pragma once
#include <string>
#include <vector>

#include "fokker/data/dataset.h"

namespace fokker::cli {

/// Makes a folder where it is absent. Resource error where it cannot be made or written.
void prepare_folder(const std::string& folder);

/// Refuses, before any work is done, an output whose format is unknown or whose folder cannot be written.
void check_output(const std::string& file);

/// As check_output, of samples: also .npz, and a new or empty folder, written with a "/" at its end, of an
/// image each.
void check_samples_output(const std::string& file);
bool is_samples_folder(const std::string& file);

/// Refuses a format that cannot hold rows of this shape, before there are any.
void check_output_holds(const std::string& file, at::IntArrayRef event);

/// As check_output, of any file's folder, which is made where it is missing.
void check_folder_of(const std::string& file);

/// Writes samples by extension: .npy, .npz (as "x"), .csv (tables) or .png (a grid of images, or a scatter
/// picture of points); images into a folder as 00000.png, 00001.png, ...
void write_samples(const std::string& file, const Tensor& values, const std::vector<std::string>& columns);
/// The same of rows with all that is known of them: .csv is written in their format, with cells as their
/// schema says; .npy has numbers.
void write_samples(const std::string& file, const Dataset& samples);

}  // namespace fokker::cli
