#pragma once
#include "fokker/distributed/ranks.h"

namespace fokker {

/// What decides how a training goes on: of one rank, or of all.
struct Votes {
  double seconds = 0;  ///< of training; of all: by the clock of rank 0
  bool stop = false;   ///< a hook asks for it; of all: one of any rank's
  bool end = false;    ///< a StopRequest was made; the same
};

/// What ranks say to each other at every step, in one buffer: gradients, losses and votes.
class StepExchange {
 public:
  /// The sum of all ranks' gradients, valid until the next call; `loss` becomes that of all, and `votes` what
  /// all go by.
  Tensor sum(const Ranks& ranks, const Tensor& gradient, double& loss, Votes& votes);
  /// The votes alone.
  Votes agree(const Ranks& ranks, Votes own);

 private:
  Tensor buffer_;
};

}  // namespace fokker
