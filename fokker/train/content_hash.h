#pragma once
#include <cstring>

#include "fokker/core/check.h"
#include "fokker/data/rows/row_source.h"

namespace fokker {

/// 64 bits of the bytes, eight at a time: enough to tell data sets apart that nobody chose to be alike. The
/// steps are those of MurmurHash's finaliser, each of which can be undone, so that two inputs that differ in
/// one word differ.
class ContentHash {
 public:
  /// Of so many bytes in all.
  explicit ContentHash(uint64_t size) : hash_(size) {}
  /// Of all of these rows' numbers.
  explicit ContentHash(const RowSource& rows)
      : hash_(static_cast<uint64_t>(rows.size()) * at::elementSize(rows.type())) {
    for (const int64_t size : rows.event_shape()) hash_ *= static_cast<uint64_t>(size);
  }

  void add(const Tensor& part) {
    const Tensor values = part.detach().to(at::kCPU).contiguous();
    const auto* bytes = static_cast<const char*>(values.data_ptr());
    auto left = static_cast<size_t>(values.nbytes());
    for (; filled_ == 0 && left >= sizeof word_; bytes += sizeof word_, left -= sizeof word_) {
      std::memcpy(&word_, bytes, sizeof word_);
      mix();
    }
    while (left > 0) {
      const size_t taken = std::min(sizeof(word_) - filled_, left);
      std::memcpy(reinterpret_cast<char*>(&word_) + filled_, bytes, taken);
      filled_ += taken;
      bytes += taken;
      left -= taken;
      if (filled_ == sizeof word_) mix();
    }
  }
  std::string text() {
    if (filled_ > 0) mix();
    return fmt::format("{:016x}", hash_ ^ hash_ >> 33);
  }

 private:
  void mix() {
    hash_ = (hash_ ^ word_) * 0xff51afd7ed558ccd;
    hash_ = (hash_ ^ hash_ >> 33) * 0xc4ceb9fe1a85ec53;
    word_ = 0;
    filled_ = 0;
  }
  uint64_t hash_;
  uint64_t word_ = 0;  ///< bytes that are not mixed in yet
  size_t filled_ = 0;
};

}  // namespace fokker
