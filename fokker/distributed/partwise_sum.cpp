#include "fokker/distributed/partwise_sum.h"

#include "fokker/core/check.h"
#include "fokker/distributed/group.h"

namespace fokker {

struct PartwiseSum::Part {
  Tensor values = {}, received = {};  ///< the other's, of two ranks
  c10::intrusive_ptr<c10d::Work> sending = {}, receiving = {};
};

PartwiseSum::PartwiseSum(const Ranks& ranks, Tensor values) : ranks_(ranks), values_(std::move(values)) {
  check(!ranks.alone() && values_.dim() == 1 && values_.is_contiguous() && values_.is_cpu(),
        "PartwiseSum: expected several ranks and a contiguous vector on the CPU but received {}",
        shape_string(values_));
}
PartwiseSum::~PartwiseSum() = default;

void PartwiseSum::begin(int64_t first, int64_t count) {
  Part part{.values = values_.narrow(0, first, count)};
  Ranks::Group& group = *ranks_.group_;
  group.member().enter_exchange();
  group.joined([&] {
    std::vector<Tensor> own{part.values};
    if (ranks_.size() > 2) {
      part.receiving = group.gloo().allreduce(own);
      return;
    }
    // One round of two ranks: Gloo's ring takes several.
    if (!received_.defined()) received_ = at::empty_like(values_);
    part.received = received_.narrow(0, first, count);
    std::vector<Tensor> others{part.received};
    const int other = 1 - static_cast<int>(ranks_.rank()), tag = static_cast<int>(parts_.size());
    part.receiving = group.gloo().recv(others, other, tag);
    part.sending = group.gloo().send(own, other, tag);
  });
  parts_.push_back(std::move(part));
}

void PartwiseSum::finish() {
  Ranks::Group& group = *ranks_.group_;
  for (const Part& part : parts_)
    group.joined([&] {
      if (!part.sending) return group.await(*part.receiving);
      part.receiving->wait(group.member().timeout());
    });
  for (const Part& part : parts_) {
    if (!part.sending) continue;
    // Not before it has left.
    group.joined([&] { part.sending->wait(group.member().timeout()); });
    part.values.add_(part.received);
  }
  parts_.clear();
}

}  // namespace fokker
