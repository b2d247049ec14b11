#pragma once
#include <string>
#include <vector>

namespace fokker {

/// beta_1..beta_N of a text file: numbers strictly between 0 and 1, one a line or separated by commas or
/// blanks; a first line that is no number is a heading. Input errors name the file and the line.
std::vector<double> read_betas(const std::string& path);

}  // namespace fokker
