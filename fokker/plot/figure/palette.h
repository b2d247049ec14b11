#pragma once
#include <cstdint>
#include <vector>

namespace fokker::plot {

/// At most so many colours that stand for those of some pixels, and the way to them. Colours are 0xRRGGBB.
class Palette {
 public:
  /// Exact where the pixels have at most `most` colours. Else the colours are divided at the means of the
  /// boxes with the largest spread, and each box becomes its mean (Wan, Prusinkiewicz and Wong,
  /// "Variance-based color image quantization", 1990). Rare colours count more than their share, for thin
  /// lines and text.
  Palette(std::vector<uint32_t> pixels, size_t most);

  const std::vector<uint32_t>& colours() const { return colours_; }
  /// The place in `colours` of what stands for a colour of those pixels.
  uint8_t index_of(uint32_t colour) const;

 private:
  std::vector<uint32_t> colours_ = {};
  std::vector<uint32_t> known_;  // rising
  std::vector<uint8_t> index_;   // of the known ones
};

}  // namespace fokker::plot
