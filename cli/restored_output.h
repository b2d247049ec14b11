#pragma once
#include "cli/seen.h"

namespace fokker::cli {

/// What `fokker restore` writes: draws x (rows, n, event...) in the user's units, and their deviations.
struct Restored {
  const DenoiserSource& source;
  const Seen& seen;
  Tensor x;
  Tensor deviation;  ///< (rows, event...); undefined of one draw

  /// .npy, .csv of a table with the columns row and draw first, or .png: a line for each measurement, with
  /// A^+ y, the draws, and their deviation where there are several.
  void write(const std::string& file) const;
  /// The deviations: .npy, or .png where white is the largest.
  void write_uncertainty(const std::string& file) const;
};

/// Argument errors where the source's draws cannot be written so.
void check_restored_output(const std::string& out, const std::string& uncertainty, int64_t n);
void check_restored_output_of(const DenoiserSource& source, const std::string& out,
                              const std::string& uncertainty);

}  // namespace fokker::cli
