#include "fokker/image/orientation.h"

#include <libexif/exif-data.h>

#include <memory>
#include <string>

namespace fokker {
namespace {

constexpr std::string_view exif_start("Exif\0\0", 6);

}  // namespace

int exif_orientation(std::string_view exif) {
  // An APP1 segment holds 64 KiB; nothing larger is EXIF.
  if (exif.empty() || exif.size() > (1u << 16)) return 1;
  const std::string whole =
      exif.starts_with(exif_start) ? std::string(exif) : std::string(exif_start) += exif;
  const std::unique_ptr<ExifData, void (*)(ExifData*)> data(
      exif_data_new_from_data(reinterpret_cast<const unsigned char*>(whole.data()),
                              static_cast<unsigned>(whole.size())),
      exif_data_unref);
  if (!data) return 1;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (!entry || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

Tensor upright(const Tensor& image, int orientation) {
  // Which side of the seen image the first stored row is: top 1 2, bottom 3 4, left 5 8, right 6 7; and the
  // first column: left 1 4, right 2 3, top 5 6, bottom 7 8.
  const bool swapped = orientation >= 5;
  const Tensor seen = swapped ? image.transpose(1, 2) : image;
  std::vector<int64_t> flipped;
  if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) flipped.push_back(1);
  if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7) flipped.push_back(2);
  return (flipped.empty() ? seen : seen.flip(flipped)).contiguous();
}

}  // namespace fokker
