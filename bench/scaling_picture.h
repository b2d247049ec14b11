#pragma once
#include <filesystem>

namespace fokker::bench {

/// Draws what bench/scaling.py measured: time against size on logarithmic axes, one curve for each.
void draw_scaling(const std::filesystem::path& measurements, const std::filesystem::path& picture);

}  // namespace fokker::bench
