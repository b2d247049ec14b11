#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fokker {

/// Bytes as base64 with padding (RFC 4648, section 4).
std::string base64(std::string_view bytes);

/// The SHA-256 digest of bytes (FIPS 180-4).
std::array<uint8_t, 32> sha256(std::string_view bytes);

}  // namespace fokker
