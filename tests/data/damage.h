#pragma once

#include <string>

#include "expect_error.h"
#include "folder.h"

namespace fokker {

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

/// The message of the input error that `action` throws.
template <typename Action>
std::string error_of(Action action, ErrorKind kind = ErrorKind::input) {
  return refusal_of(action, kind);
}

/// Feeds `use` every truncation of `bytes`, which it must refuse, and copies with one byte changed, which it
/// may accept or refuse, but only by an Error. Returns how many changed copies were refused.
template <typename Use>
int survive_damage(const std::string& bytes, Use use) {
  int refused = 0;
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW(use(bytes.substr(0, length)), Error) << "cut to " << length << " of " << bytes.size();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ flip);
      try {
        use(damaged);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  return refused;
}

}  // namespace fokker
