#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fokker/core/error.h"

namespace fokker {

/// Files of a folder are not what was written: one is missing, of another size or of other bytes.
class DamageError : public Error {
 public:
  explicit DamageError(const std::string& message) : Error(ErrorKind::input, message) {}
};

/// What a folder holds beside its manifest.
struct Verification {
  bool recorded = false;                 ///< there is a manifest; the rest is empty where there is none
  std::vector<std::string> files = {};   ///< that it names
  uint64_t bytes = 0;                    ///< of theirs, all of which were read
  std::vector<std::string> damage = {};  ///< a line for each file that is not as it was written
};

}  // namespace fokker
