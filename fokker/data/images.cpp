#include "fokker/data/images.h"

#include <cctype>
#include <mutex>
#include <set>
#include <utility>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

bool has_image_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static const std::set<std::string> known = {".png", ".jpg", ".jpeg", ".webp",
                                              ".gif", ".tif", ".tiff", ".bmp"};
  return known.contains(extension);
}

Tensor to_pixels(const Tensor& images) try {
  const Tensor source = images.detach().to(at::kCPU);
  if (source.scalar_type() == at::kByte) return source;
  check(source.is_floating_point(), "to_pixels: expected uint8, or floats in [-1, 1], but received {}",
        at::toString(source.scalar_type()));
  const Tensor values = source.to(at::kFloat);
  check(!values.isnan().any().item<bool>(), "to_pixels: expected numbers in [-1, 1] but received NaN");
  return ((values + 1) * 127.5).round_().clamp_(0, 255).to(at::kByte);
} catch (...) {
  detail::throw_as_error();
}

namespace {

void check_channels(const char* what, const Tensor& images) {
  check(images.dim() >= 3 && (images.scalar_type() == at::kByte || images.is_floating_point()) &&
            images.size(-3) >= 1 && images.size(-3) <= 4,
        "{}: expected images (..., 1 to 4 channels, height, width), uint8 or floats, but received {}", what,
        shape_string(images));
}

/// Float values in the type of `images`, rounded where those are levels.
Tensor as_type_of(const Tensor& images, const Tensor& values) {
  return images.is_floating_point() ? values.to(images.scalar_type()) : values.round().to(at::kByte);
}

double opaque_value(const Tensor& images) {
  return images.is_floating_point() ? 1.0 : 255.0;
}

}  // namespace

Tensor convert_channels(const Tensor& images, int64_t channels) try {
  check_channels("convert_channels", images);
  const int64_t from = images.size(-3);
  check(channels >= 1 && channels <= 4,
        "convert_channels: expected 1 to 4 channels but received {} to become {}", from, channels);
  if (from == channels) return images;
  const int64_t from_colours = from <= 2 ? 1 : 3;
  const int64_t colours = channels <= 2 ? 1 : 3;
  Tensor colour = images.narrow(-3, 0, from_colours);
  if (from_colours == 1 && colours == 3) {
    colour = at::cat({colour, colour, colour}, -3);
  } else if (from_colours == 3 && colours == 1) {
    const auto plane = [&](int64_t i) { return colour.narrow(-3, i, 1).to(at::kFloat); };
    colour = as_type_of(images, plane(0) * 0.299 + plane(1) * 0.587 + plane(2) * 0.114);
  }
  if (channels % 2 == 1) return colour.contiguous();
  const Tensor alpha = from % 2 == 0 ? images.narrow(-3, from - 1, 1)
                                     : at::full_like(colour.narrow(-3, 0, 1), opaque_value(images));
  return at::cat({colour, alpha}, -3);
} catch (...) {
  detail::throw_as_error();
}

bool is_opaque(const Tensor& images) {
  check_channels("is_opaque", images);
  const int64_t channels = images.size(-3);
  return channels % 2 == 1 || images.select(-3, channels - 1).eq(opaque_value(images)).all().item<bool>();
}

Tensor over_white(const Tensor& images) try {
  check_channels("over_white", images);
  const int64_t channels = images.size(-3);
  if (channels % 2 == 1) return images;
  const double white = opaque_value(images);
  const double none = images.is_floating_point() ? -1.0 : 0.0;
  const Tensor share = (images.narrow(-3, channels - 1, 1).to(at::kFloat) - none) / (white - none);
  return as_type_of(images, white + (images.narrow(-3, 0, channels - 1).to(at::kFloat) - white) * share);
} catch (...) {
  detail::throw_as_error();
}

Tensor resize_images(const Tensor& images, int64_t height, int64_t width) try {
  check(images.dim() == 3 || images.dim() == 4,
        "resize_images: expected (c, h, w) or (n, c, h, w) but received {}", shape_string(images));
  check(height > 0 && width > 0 && height <= largest_image_side && width <= largest_image_side,
        "resize_images: expected a size of 1 to {} but received {} x {}", largest_image_side, height, width);
  if (images.dim() == 3) return resize_images(images.unsqueeze(0), height, width).squeeze(0);
  const int64_t h = images.size(2), w = images.size(3);
  if (h == height && w == width) return images;
  // The largest h' x w' inside h x w with h' / w' = height / width.
  const int64_t crop_h = std::clamp<int64_t>(std::llround(double(w) * height / width), 1, h);
  const int64_t crop_w = std::clamp<int64_t>(std::llround(double(h) * width / height), 1, w);
  const Tensor cropped = images.narrow(2, (h - crop_h) / 2, crop_h).narrow(3, (w - crop_w) / 2, crop_w);
  Tensor result = at::empty({images.size(0), images.size(1), height, width}, images.options());
  constexpr int64_t chunk = 256;  // bounds the float copies
  for (int64_t first = 0; first < images.size(0); first += chunk) {
    const int64_t count = std::min(chunk, images.size(0) - first);
    Tensor piece = cropped.narrow(0, first, count).to(at::kFloat).contiguous();
    piece = at::_upsample_bilinear2d_aa(piece, {height, width}, /*align_corners=*/false);
    if (images.scalar_type() == at::kByte) piece = piece.round_().clamp_(0, 255);
    result.narrow(0, first, count).copy_(piece);
  }
  return result;
} catch (...) {
  detail::throw_as_error();
}

namespace {

struct ReaderInUse {
  std::mutex mutex;
  ImageReader reader;
  ImageFolderOpener opener;
};
/// Made when it is first asked for, which may be before main.
ReaderInUse& reader_in_use() {
  static ReaderInUse in_use;
  return in_use;
}

}  // namespace

ImageReader set_image_reader(ImageReader reader) {
  ReaderInUse& in_use = reader_in_use();
  const std::lock_guard lock(in_use.mutex);
  return std::exchange(in_use.reader, std::move(reader));
}

ImageReader image_reader(const std::filesystem::path& path) {
  ReaderInUse& in_use = reader_in_use();
  const std::lock_guard lock(in_use.mutex);
  if (!in_use.reader)
    fail(ErrorKind::failed, "{}: this program has no reader of images; link it with fokker::image",
         path.string());
  return in_use.reader;
}

void set_image_folder_opener(ImageFolderOpener opener) {
  ReaderInUse& in_use = reader_in_use();
  const std::lock_guard lock(in_use.mutex);
  in_use.opener = std::move(opener);
}

namespace {

ImageFolderOpener folder_opener(const std::filesystem::path& path) {
  image_reader(path);  // says what is missing
  ReaderInUse& in_use = reader_in_use();
  const std::lock_guard lock(in_use.mutex);
  return in_use.opener;
}

}  // namespace

double image_folder_bytes(const std::filesystem::path& path, int64_t channels, ImageSize size) {
  return folder_opener(path).bytes(path, channels, size);
}

Dataset stored_image_folder(const std::filesystem::path& path, int64_t channels, ImageSize size) {
  return folder_opener(path).open(path, channels, size);
}

}  // namespace fokker
