#pragma once
#include <map>
#include <string>
#include <vector>

#include "fokker/image/image.h"

namespace fokker {

/// What was decided and skipped while images were read, gathered for one message.
class ImageNotes {
 public:
  void add(const ImageFacts& facts);
  void add_over_white() { ++over_white_; }
  /// What another has gathered of other images.
  void add_all(const ImageNotes& other);
  void skip_files(const std::vector<std::filesystem::path>& files);
  void skip_folder(const std::filesystem::path& folder, const std::string& why);
  /// Images without the alpha that all leave opaque, or as they are; notes which.
  Tensor without_opaque_alpha(const Tensor& images);
  /// Notes what becomes of the alpha of images of so many channels.
  void note_alpha(int64_t channels, bool opaque);

  /// "; skipped 3 other files (2 .txt, 1 .heic), ...", or "".
  std::string skipped() const;
  /// Clauses for Dataset::notes; none where there is nothing to say.
  std::vector<std::string> clauses() const;

 private:
  int64_t images_ = 0, turned_ = 0, deep_ = 0, palette_ = 0, over_white_ = 0;
  std::string alpha_;
  std::map<std::string, int64_t> files_;  ///< by extension
  std::vector<std::string> folders_;
};

}  // namespace fokker
