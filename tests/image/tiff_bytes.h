#pragma once
#include <tiffio.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "fokker/core/file/files.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// Sets other fields of a TIFF that is being written.
using PrepareTiff = std::function<void(TIFF*)>;

/// A TIFF of rows of samples (height, width, channels) as they are, by way of a file; `prepare` sees each
/// page before its rows.
inline std::string tiff_bytes(const std::filesystem::path& file, const Tensor& levels,
                              const PrepareTiff& prepare = {}, int pages = 1) {
  TIFF* out = TIFFOpen(file.c_str(), "w");
  const auto row_bytes = levels.size(1) * levels.size(2) * levels.element_size();
  for (int page = 0; page < pages; ++page) {
    TIFFSetField(out, TIFFTAG_IMAGEWIDTH, static_cast<uint32_t>(levels.size(1)));
    TIFFSetField(out, TIFFTAG_IMAGELENGTH, static_cast<uint32_t>(levels.size(0)));
    TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(levels.size(2)));
    TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * levels.element_size()));
    TIFFSetField(out, TIFFTAG_PHOTOMETRIC, levels.size(2) < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    TIFFSetField(out, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    if (prepare) prepare(out);
    std::string row(static_cast<size_t>(row_bytes), '\0');
    for (int64_t y = 0; y < levels.size(0); ++y) {
      std::memcpy(row.data(), static_cast<const char*>(levels.data_ptr()) + y * row_bytes, row.size());
      TIFFWriteScanline(out, row.data(), static_cast<uint32_t>(y));
    }
    TIFFWriteDirectory(out);
  }
  TIFFClose(out);
  return read_file(file);
}

}  // namespace fokker
