#include "fokker/train/step_exchange.h"

namespace fokker {
namespace {

constexpr int64_t said_beside = 4;

}  // namespace

Tensor StepExchange::sum(const Ranks& ranks, const Tensor& gradient, double& loss, Votes& votes) {
  const int64_t n = gradient.numel();
  if (!buffer_.defined() || buffer_.numel() != n + said_beside)
    buffer_ = at::empty({n + said_beside}, gradient.options().device(at::kCPU));
  const Tensor summed = buffer_.narrow(0, 0, n), beside = buffer_.narrow(0, n, said_beside);
  summed.copy_(gradient);
  beside.copy_(
      at::tensor({loss, ranks.root() ? votes.seconds : 0.0, votes.stop ? 1.0 : 0.0, votes.end ? 1.0 : 0.0},
                 at::TensorOptions(at::kDouble)));
  ranks.sum(buffer_);
  const Tensor all = beside.to(at::kDouble);
  const auto* said = all.data_ptr<double>();
  loss = said[0];
  votes = {.seconds = said[1], .stop = said[2] > 0, .end = said[3] > 0};
  return summed.to(gradient.device());
}

Votes StepExchange::agree(const Ranks& ranks, Votes own) {
  double loss = 0;
  sum(ranks, at::empty({0}, at::TensorOptions(at::kDouble)), loss, own);
  return own;
}

}  // namespace fokker
