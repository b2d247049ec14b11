#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fokker/data/csv_format.h"
#include "fokker/data/dataset.h"

namespace fokker {

struct LoadOptions {
  /// How a CSV file is written, where that is known; the file of labels is of the same encoding.
  CsvFormat csv = {};
  /// Of a CSV file: columns to read (empty: all) and the column of labels (empty: none).
  std::vector<std::string> columns = {};
  std::string label_column = {};
  /// Another file with one label per row: IDX, NPY, or CSV of one column.
  std::filesystem::path labels_path = {};
  /// Side of the square that images are cropped and resized to; 0: as they are.
  int64_t image_size = 0;
  /// Channels that the images of a folder are converted to; 0: as they are.
  int64_t channels = 0;
  /// Of an NPZ archive with several arrays: the one to read.
  std::string array = {};
};

/// Reads data of any kind that `fokker` knows, by the extension of its name: .csv .tsv .txt (a table), .npy
/// .npz, .idx or -ubyte (also .gz), .bin (CIFAR-10), .png .jpg .webp (one image), or a folder of images.
/// Tables become (n, d) float64; three dimensions of uint8 become grey images; four are images of 1 to 4
/// channels, uint8 or float32. Input error, naming the file: missing, unknown extension (listing those
/// known), empty, or a value that is NaN or infinite (naming its row, from 0).
Dataset load_data(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace fokker
