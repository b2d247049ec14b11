#pragma once
#include "cli/denoiser_source.h"
#include "fokker/condition/operator/operators.h"

namespace fokker::cli {

/// What bytes are: levels 0..255 of images, which become [-1, 1], or numbers such as counts.
enum class Levels { of_images, as_they_are };

/// Rows of a file as an operator measures them, (rows, output...) float64. A mask's may have the shape of
/// whole events, whose hidden numbers do not matter and may be NaN, or be the seen numbers alone. One
/// measurement needs no dimension of rows. Input error, naming the
/// file, where the shape is none of these or a number that takes part is not finite, or where counts are
/// asked for of a picture.
Tensor load_measured(const std::string& file, const LinearOperator& a, const LoadOptions& reading,
                     Levels levels = Levels::of_images);

}  // namespace fokker::cli
