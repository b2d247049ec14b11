#pragma once

namespace fokker {

/// The library's version, for example "0.1.0".
const char* library_version();

}  // namespace fokker
