#pragma once
#include "fokker/data/load.h"

namespace fokker {

// A CSV file's rows as numbers that can be read by their place: made once, beside the file, and used for as
// long as the file, and the way in which it is read, are the same. The cache is a folder NAME.fokker-cache of
// cells.f64 (float64, little endian, row by row), labels.npy where there are labels, cache.json (what the
// file was and how it was read) and a manifest of these.

/// The folder of the cache of a file; `options.cache` is the folder that it is in, or empty.
std::filesystem::path csv_cache_folder(const std::filesystem::path& csv, const LoadOptions& options);

/// The data set of a CSV file with stored rows, from its cache, which is made anew where it is missing,
/// damaged (a warning says so) or of another file, time, size or way of reading. Input errors as load_csv's,
/// and stream_table's where columns have kinds, and where the file changes meanwhile or the folder is there
/// and is no cache; resource errors, naming the folder, where it cannot be written.
Dataset load_cached_csv(const std::filesystem::path& csv, const LoadOptions& options);

/// What reading the file into memory would take, in bytes: an estimate by its first records.
double csv_bytes_in_memory(const std::filesystem::path& csv, const LoadOptions& options);

}  // namespace fokker
