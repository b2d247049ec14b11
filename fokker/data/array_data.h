#pragma once
#include "fokker/data/dataset.h"

namespace fokker {

/// An array as data: one or two dimensions are a table; three of uint8, or where grey images may be floats,
/// and four are images. Input error, naming the file, for another shape or type.
Dataset data_of_array(const Tensor& array, const std::string& name, bool grey_floats);
/// The same of rows that stay where they are.
Dataset data_of_rows(const Rows& rows, const std::string& name, bool grey_floats);

/// Input error, naming the row, for a number that is not finite; a warning where images reach far beyond
/// [-1, 1].
void check_finite(const RowSource& rows, const std::string& name);

}  // namespace fokker
