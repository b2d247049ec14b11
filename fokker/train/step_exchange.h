#pragma once
#include "fokker/distributed/partwise_sum.h"
#include "fokker/train/flat_parameters.h"

namespace fokker {

/// What decides how a training goes on: of one rank, or of all.
struct Votes {
  double seconds = 0;  ///< of training; of all: by the clock of rank 0
  bool stop = false;   ///< a hook asks for it; of all: one of any rank's
  bool end = false;    ///< a StopRequest was made; the same
};

/// What ranks say to each other at every step: gradients, losses and votes, in one buffer. It is added up in
/// buckets, each as soon as the backward pass has its last gradient. Parameters stand in the buffer in the
/// order in which rank 0 had their gradients at the first step, so that a bucket is complete early; how the
/// buffer is cut depends on the network and the number of ranks alone.
class StepExchange {
 public:
  /// `bucket` numbers at least in each bucket but the last; 0: as suits the number of ranks.
  explicit StepExchange(int64_t bucket = 0) : bucket_(bucket) {}

  /// The gradient of the sum of all ranks' `loss`, in the order of the parameters' values, valid until the
  /// next call; `value` becomes that sum, and `votes` what all go by.
  Tensor gradient(const Ranks& ranks, FlatParameters& parameters, const Tensor& loss, double& value,
                  Votes& votes);
  /// The votes alone.
  static Votes agree(const Ranks& ranks, Votes own);

 private:
  /// Some parameters, order_[begin] to order_[end - 1], and their numbers in the buffer.
  struct Bucket {
    size_t begin = 0, end = 0;
    int64_t first = 0, count = 0;
  };
  void lay_out(const std::vector<FlatParameters::Place>& places, int64_t least);
  Tensor learn_order(const Ranks& ranks, FlatParameters& parameters, const Tensor& loss);
  void copy_in(size_t parameter, const Tensor& gradient);
  Tensor in_order_of_values(const FlatParameters& parameters);

  int64_t bucket_;
  std::vector<size_t> order_;      ///< parameters, as they stand in the buffer; empty before the first step
  std::vector<int64_t> position_;  ///< of each parameter in the buffer
  std::vector<Bucket> buckets_;
  bool sorted_ = false;  ///< the order is that of the values
  Tensor buffer_, values_;
};

}  // namespace fokker
