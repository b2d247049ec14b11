#include "cli/shared_rows.h"

#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/train/problem.h"

namespace fokker::cli {
namespace {

std::string weights_hash(const DenoiserSource* source) {
  std::string hashes;
  if (!source || !source->model) return hashes;
  for (const auto& [name, weight] : source->model->network->parameters()) hashes += content_hash(weight);
  return hashes;
}

}  // namespace

int64_t BlockSize::of(const Tensor& x) const {
  check(block >= 0, "batch: expected batch > 0 but received {}", block);
  return block > 0 ? block : x.dim() == 4 ? images : points;
}

void for_each_block(const Ranks& ranks, const std::string& label, const Tensor& x, BlockSize size,
                    const std::function<void(const Tensor& rows, int64_t first)>& work) {
  const int64_t block = size.of(x);
  const Share own = ranks.share_blocks(x.size(0), block);
  Progress progress(label, own.count);
  for (int64_t done = 0; done < own.count; done += block) {
    check_stop();
    const int64_t first = own.first + done, count = std::min(block, own.count - done);
    count_rows_from(first, [&] { work(x.narrow(0, first, count), first); });
    progress.update(done + count);
  }
  progress.finish();
}

void check_same_input(const Ranks& ranks, const std::string& file, const Dataset& rows,
                      const DenoiserSource* source) {
  if (ranks.alone()) return;
  const Json own = {
      {"rows", content_hash(rows.values) + content_hash(rows.labels) + content_hash(rows.conditions)},
      {"weights", weights_hash(source)}};
  const std::vector<Json> all = ranks.gather(own);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    check_input(all[rank]["rows"] == all[0]["rows"], "{}: rank {} has read other rows than rank 0", file,
                rank);
    check_input(all[rank]["weights"] == all[0]["weights"],
                "rank {} has read other weights of the model than rank 0", rank);
  }
}

}  // namespace fokker::cli
