#pragma once
#include <array>
#include <functional>
#include <string>

#include "cli/denoiser_source.h"
#include "fokker/distributed/ranks.h"

namespace fokker::cli {

/// Rows that are worked on together: `block`, or where that is 0 `images` of images, else `points`.
struct BlockSize {
  int64_t block = 0, images = 64, points = 4096;
  /// Argument error below 0.
  int64_t of(const Tensor& x) const;
};

/// Calls work(rows, first) for those blocks of x that are this rank's, in their order, with progress under
/// `label`; heeds a StopRequest between two blocks. RowErrors of the work count in x.
void for_each_block(const Ranks& ranks, const std::string& label, const Tensor& x, BlockSize size,
                    const std::function<void(const Tensor& rows, int64_t first)>& work);

/// What work(rows, first) makes of the blocks of x, K tensors (std::array) of each, joined along their first
/// sizes in the order of the blocks. Ranks share them, and each gets all, as one process would; an error is
/// that of the first block that has one.
template <size_t K, typename Work>
std::array<Tensor, K> map_blocks(const Ranks& ranks, const std::string& label, const Tensor& x,
                                 BlockSize size, const Work& work) {
  std::array<std::vector<Tensor>, K> parts;
  ranks.on_each([&] {
    for_each_block(ranks, label, x, size, [&](const Tensor& rows, int64_t first) {
      const std::array<Tensor, K> made = work(rows, first);
      for (size_t k = 0; k < K; ++k) parts[k].push_back(made[k]);
    });
  });
  std::array<Tensor, K> all;
  for (size_t k = 0; k < K; ++k) {
    if (!parts[k].empty()) all[k] = at::cat(parts[k]);
    if (!ranks.alone()) all[k] = ranks.gather_rows(all[k].defined() ? all[k].cpu() : Tensor());
  }
  return all;
}

/// Input error, naming the rank, where ranks have not read the same rows, or weights of a model.
void check_same_input(const Ranks& ranks, const std::string& file, const Dataset& rows,
                      const DenoiserSource* source = nullptr);

}  // namespace fokker::cli
