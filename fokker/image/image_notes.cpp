#include "fokker/image/image_notes.h"

#include <fmt/ranges.h>

namespace fokker {

void ImageNotes::add(const ImageFacts& facts) {
  ++images_;
  turned_ += facts.turned;
  deep_ += facts.deep;
  palette_ += facts.palette;
}

void ImageNotes::skip_files(const std::vector<std::filesystem::path>& files) {
  for (const auto& file : files) ++files_[file.extension().string()];
}

void ImageNotes::skip_folder(const std::filesystem::path& folder, const std::string& why) {
  folders_.push_back(fmt::format("the folder '{}', {}", folder.filename().string(), why));
}

void ImageNotes::add_all(const ImageNotes& other) {
  images_ += other.images_;
  turned_ += other.turned_;
  deep_ += other.deep_;
  palette_ += other.palette_;
  over_white_ += other.over_white_;
}

void ImageNotes::note_alpha(int64_t channels, bool opaque) {
  alpha_ = opaque ? "all opaque: alpha is left out"
                  : fmt::format(
                        "transparent, so alpha is channel {} of {} (give the channels, {}, to lay them "
                        "over white)",
                        channels, channels, channels - 1);
}

Tensor ImageNotes::without_opaque_alpha(const Tensor& images) {
  const bool opaque = is_opaque(images);
  note_alpha(images.size(1), opaque);
  return opaque ? convert_channels(images, images.size(1) - 1) : images;
}

std::string ImageNotes::skipped() const {
  std::vector<std::string> parts;
  int64_t count = 0;
  for (const auto& [extension, n] : files_) {
    count += n;
    parts.push_back(fmt::format("{} {}", n, extension.empty() ? "without extension" : extension));
  }
  if (count > 0)
    parts = {fmt::format("{} other file{} ({})", count, count == 1 ? "" : "s", fmt::join(parts, ", "))};
  constexpr size_t most = 3;
  for (size_t i = 0; i < std::min(most, folders_.size()); ++i) parts.push_back(folders_[i]);
  if (folders_.size() > most) parts.push_back(fmt::format("{} more folders", folders_.size() - most));
  return parts.empty() ? "" : fmt::format("; skipped {}", fmt::join(parts, ", "));
}

std::vector<std::string> ImageNotes::clauses() const {
  std::vector<std::string> parts;
  const auto note = [&](int64_t count, const char* what) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
  };
  note(turned_, "turned upright by their orientation");
  note(deep_, "of more than 8 bits a channel, so that values are floats in [-1, 1]");
  note(palette_, "of a palette, read as its colours");
  note(over_white_, "transparent, laid over white");
  if (!alpha_.empty()) parts.push_back(alpha_);
  const std::string left = skipped();
  if (parts.empty() && left.empty()) return {};
  return {fmt::format("{} image{}{}{}{}", images_, images_ == 1 ? "" : "s", parts.empty() ? "" : ": ",
                      fmt::to_string(fmt::join(parts, "; ")), left)};
}

}  // namespace fokker
