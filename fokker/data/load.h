#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fokker/data/columns.h"
#include "fokker/data/csv/csv_format.h"
#include "fokker/data/dataset.h"
#include "fokker/data/images.h"
#include "fokker/table/infer.h"

namespace fokker {

/// Whether rows stay on disk while they are used (Dataset::stored).
enum class Streaming {
  no,
  automatic,  ///< where they would take more than half of the memory available
  yes
};
/// By its name: no, auto or yes. Argument error listing these.
Streaming parse_streaming(std::string_view name);

struct LoadOptions {
  /// How a CSV file is written, where that is known; the file of labels is of the same encoding.
  CsvFormat csv = {};
  /// Of a CSV file: columns to read (empty: all) and the column of labels (empty: none).
  std::vector<std::string> columns = {};
  std::string label_column = {};
  /// Of a CSV file: columns of any kinds are read, not numbers alone (load_table), by a schema that is known
  /// or by one that is inferred with what is known of single columns. Arrays are read as they are.
  bool typed = false;
  std::shared_ptr<const Schema> schema = nullptr;
  std::map<std::string, ColumnWish> wishes = {};
  bool within_bounds = false;   ///< as in TableOptions
  bool accept_missing = false;  ///< as in TableOptions
  /// Another file with one label per row: IDX, NPY, or CSV of one column; or an array of floats (n, k), which
  /// are conditions c0, c1, ... of the rows and no labels (n, 1: where they are not whole numbers).
  std::filesystem::path labels_path = {};
  /// What images are cropped and resized to; by default they stay as they are.
  ImageSize image_size = {};
  /// Channels that images are converted to: 1 grey, 3 colour, 2 and 4 with alpha; 0: as they are.
  int64_t channels = 0;
  /// Images are followed by their mirror images, with the same labels.
  bool mirrored = false;
  /// Of an NPZ archive, or a file of torch.save or safetensors, with several arrays: the one to read, by its
  /// name; of a nested file of torch.save the way to it, "data.train". Without it "x", "X", or the only one.
  std::string array = {};
  /// Of NPY files, CSV files (by way of a cache, csv_cache.h) and folders of images: whether their rows stay
  /// on disk. Other files are read into memory; to ask for them with `yes` is an argument error.
  Streaming stream = Streaming::no;
  /// Whether the numbers of a table whose rows stay on disk are left unread, for whoever passes over all of
  /// them before the work and refuses what is not finite, as training does.
  bool leave_unread = false;
  /// The folder in which the cache of a CSV file is made; empty: that of the file.
  std::filesystem::path cache = {};
  /// Of a CSV file whose rows stay on disk: what its columns hold is told by as many rows as have so many
  /// cells, 10,000 at least.
  int64_t inferred_cells = int64_t{1} << 22;
};

/// What the columns of a CSV file are called; nothing for files of other kinds, which name none. Input error
/// as load_data's.
std::optional<ColumnNames> table_columns(const std::filesystem::path& path, const LoadOptions& options = {});

/// Reads data of any kind that `fokker` knows, by the extension of its name: .csv .tsv .txt (a table), .npy
/// .npz, .idx or -ubyte (also .gz), .bin (CIFAR-10 and CIFAR-100), .pt .pth (torch.save) .safetensors, .png
/// .jpg .webp .gif .tif .bmp (one image), or a folder of images. Beside an array in a file of several, one
/// called labels, label, y or targets holds labels.
/// Tables become (n, d) float64, of cells where they are typed (NaN where one is missing); three dimensions
/// of uint8 become grey images; four are images of 1 to 4 channels, uint8 or float32. Input error, naming the
/// file: missing, unknown extension (listing those known), empty, or a value that is NaN or infinite (naming
/// its row, from 0). Files and folders of images are read by fokker::image; an error of kind `failed` where
/// the program does not link it. Rows that stay on disk are read once for these checks, unless they are left
/// unread.
Dataset load_data(const std::filesystem::path& path, const LoadOptions& options = {});

/// Whether load_data would leave the rows of a file on disk, as much memory being available as there is.
bool stays_on_disk(const std::filesystem::path& path, const LoadOptions& options);

/// Images followed by their mirror images (left and right swapped): 2 n rows. Argument error on a table.
Dataset with_mirrored(const Dataset& data);

}  // namespace fokker
