#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "fokker/data/rows/row_source.h"

namespace fokker {

/// Where a file's rows lie: of numbers of one type, little endian, one row after another.
struct StoredForm {
  RowSource::Form rows;  ///< rows.type: as stored; bools are bytes
  uint64_t offset = 0;   ///< of the first row, in bytes
};

/// What a file was like when it was opened, and must be like whenever it is read.
struct FileState {
  uint64_t size = 0;
  int64_t modified = 0;  ///< nanoseconds since 1970

  bool operator==(const FileState&) const = default;
};
/// Input error where there is no such file.
FileState state_of_file(const std::filesystem::path& path);

/// Rows of a file that stays open and is read by offset (pread), not mapped: pages of a mapped file count as
/// memory of the process, and one that is cut short would end it by a signal. Rows that follow one another
/// are read at once. `shown` is the file in messages. Input error where the file is shorter than the form
/// says, and later where it was changed.
Rows open_stored_rows(const std::filesystem::path& path, const std::string& shown, const StoredForm& form);

/// The rows of an NPY file as load_npy has them, read as they are asked for. Nothing for a gzipped file and
/// for one in Fortran order, whose rows do not lie together, with the reason in `why_not`. Input errors as
/// load_npy's.
Rows open_npy_rows(const std::filesystem::path& path, std::string& why_not);

}  // namespace fokker
