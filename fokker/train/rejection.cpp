#include "fokker/train/rejection.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker::detail {
namespace {

const at::TensorOptions count_type = at::TensorOptions(at::kLong);

class Rounds {
 public:
  Rounds(const Model& model, const Rejection& wanted)
      : wanted_(wanted),
        most_(most_rows_of_round(model)),
        kept_(static_cast<size_t>(wanted.groups)),
        drawn_(static_cast<size_t>(wanted.groups)),
        given_up_(static_cast<size_t>(wanted.groups)) {
    draws_.cells = at::full({wanted.groups * wanted.copies, model.table->schema().size()}, NAN,
                            at::TensorOptions(at::kDouble));
  }

  /// The groups of the rows that the next round draws; empty where there is none.
  Tensor next() const {
    std::vector<int64_t> groups;
    int64_t left = most_;
    for (size_t g = 0; g < kept_.size() && left > 0; ++g) {
      const int64_t count = std::min(left, wish(g));
      groups.insert(groups.end(), static_cast<size_t>(count), static_cast<int64_t>(g));
      left -= count;
    }
    return at::tensor(groups, count_type);
  }

  void take(const Tensor& cells, const Tensor& groups, const Tensor& keeps) {
    const auto* group = groups.data_ptr<int64_t>();
    const auto* keep = keeps.data_ptr<bool>();
    std::vector<int64_t> from, to;
    for (int64_t i = 0; i < groups.size(0); ++i) {
      const auto g = static_cast<size_t>(group[i]);
      if (kept_[g] == wanted_.copies) continue;
      ++drawn_[g];
      if (!keep[i]) continue;
      from.push_back(i);
      to.push_back(group[i] * wanted_.copies + kept_[g]++);
    }
    draws_.cells.index_copy_(0, at::tensor(to, count_type),
                             cells.index_select(0, at::tensor(from, count_type)));
    total_ += std::ssize(from);
    give_up();
    if (wanted_.on_round) wanted_.on_round(total_);
  }

  bool ended() const { return wanted_.ends_when_given_up && draws_.given_up >= 0; }

  RejectionDraws finish(int64_t evaluations, int64_t rejected) {
    for (int64_t g = 0; g < wanted_.groups; ++g)
      if (given_up_[static_cast<size_t>(g)])
        draws_.cells.narrow(0, g * wanted_.copies, wanted_.copies).fill_(NAN);
    draws_.kept = at::tensor(kept_, count_type);
    draws_.drawn = at::tensor(drawn_, count_type);
    draws_.evaluations = evaluations;
    draws_.rejected = rejected;
    return std::move(draws_);
  }

 private:
  /// Rows that a group is to draw now: as many as its share so far asks for, and within the trial no more
  /// than that has left.
  int64_t wish(size_t g) const {
    const int64_t missing = wanted_.copies - kept_[g];
    if (missing == 0 || given_up_[g]) return 0;
    if (drawn_[g] == 0) return std::min(missing, wanted_.trial);
    const double share = (static_cast<double>(kept_[g]) + 0.5) / (static_cast<double>(drawn_[g]) + 1);
    const auto count =
        static_cast<int64_t>(std::min(1e9, std::ceil(1.1 * static_cast<double>(missing) / share)));
    return drawn_[g] < wanted_.trial ? std::min(count, wanted_.trial - drawn_[g]) : count;
  }

  void give_up() {
    for (size_t g = 0; g < kept_.size(); ++g) {
      if (given_up_[g] || kept_[g] == wanted_.copies || drawn_[g] < wanted_.trial ||
          kept_[g] * wanted_.one_in >= drawn_[g])
        continue;
      given_up_[g] = true;
      if (draws_.given_up < 0) draws_.given_up = static_cast<int64_t>(g);
    }
  }

  const Rejection& wanted_;
  int64_t most_, total_ = 0;
  std::vector<int64_t> kept_, drawn_;
  std::vector<bool> given_up_;
  RejectionDraws draws_;
};

}  // namespace

int64_t most_rows_of_round(const Model& model) {
  const int64_t dims = std::max<int64_t>(1, model.event_shape()[0]);
  return std::clamp<int64_t>((int64_t{1} << 24) / dims, 4096, 65'536);
}

RejectionDraws draw_by_rejection(const Model& model, const Rejection& wanted, const Rng& rng,
                                 const SampleOptions& given) {
  Rounds rounds(model, wanted);
  SampleOptions options = given;
  int64_t evaluations = 0, rejected = 0;
  for (uint64_t round = 0; !rounds.ended(); ++round) {
    const Tensor groups = rounds.next();
    if (groups.numel() == 0) break;
    if (wanted.known.any())
      options.known = {wanted.known.cells.index_select(0, groups),
                       wanted.known.known.index_select(0, groups)};
    if (given.labels.size() > 1) {
      options.labels.clear();
      for (int64_t i = 0; i < groups.size(0); ++i)
        options.labels.push_back(given.labels[static_cast<size_t>(groups.data_ptr<int64_t>()[i])]);
    }
    const ModelSamples drawn =
        sample_counted(model, groups.size(0), rng.stream("round").stream(round), options);
    evaluations = drawn.evaluations;
    rejected += drawn.rejected;
    rounds.take(drawn.rows.values, groups, wanted.keeps(drawn.rows.values, groups).contiguous());
  }
  return rounds.finish(evaluations, rejected);
}

}  // namespace fokker::detail
