#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// Cyclic redundancy check of Castagnoli's polynomial (RFC 3720, appendix B.4).
uint32_t crc32c(std::string_view bytes);

/// Values over an axis as TensorBoard keeps a histogram: `heights[i]` between `edges[i]` and `edges[i + 1]`.
struct EventHistogram {
  std::vector<double> edges, heights;
};

/// A file of events as TensorBoard reads them: records of TFRecord's layout (length, masked CRC-32C of it,
/// data, masked CRC-32C of that) that hold Event messages of protocol buffers. Written record by record: one
/// that a killed process left unfinished is passed over by readers. Resource error where it cannot be
/// written.
class EventFile {
 public:
  /// Makes `folder`/events.out.tfevents.* under a name of its own. What earlier files of the folder say of
  /// steps from `first_step` on is void.
  EventFile(const std::filesystem::path& folder, int64_t first_step);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void scalar(int64_t step, std::string_view tag, double value);
  void histogram(int64_t step, std::string_view tag, const EventHistogram& values);
  /// The bytes of a PNG file of that size.
  void png(int64_t step, std::string_view tag, int64_t width, int64_t height, std::string_view bytes);
  /// What was said of this step and later ones is void.
  void go_back(int64_t step);

 private:
  void summary(int64_t step, std::string_view tag, std::string_view value);
  void write(std::string_view event);
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace fokker
