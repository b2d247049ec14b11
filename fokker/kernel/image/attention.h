#pragma once
#include <cstdint>

namespace fokker::kernel {

/// Sizes of self-attention over the pixels of one image.
struct AttentionShape {
  int64_t pixels = 0, heads = 0, size = 0;  ///< size: channels of one head
};

/// Numbers of scratch memory that `attend` and `attend_gradient` need.
int64_t attention_scratch(const AttentionShape& shape);
int64_t attention_gradient_scratch(const AttentionShape& shape);

/// out (pixels, heads * size) = softmax(q k^T) v, head by head, for rows of q, k and v of all heads one after
/// the other, (pixels, 3 * heads * size); q comes scaled. A few queries at a time: the matrix of all scores
/// never exists. Float32 on one thread. As in softmax, a query with a score that is NaN or +infinity gives
/// NaN.
void attend(const AttentionShape& shape, const float* qkv, float* out, float* scratch);

/// dqkv, laid out as qkv: the gradient of sum(dout out) for dout (pixels, heads * size). The weights are
/// computed again, a few queries at a time.
void attend_gradient(const AttentionShape& shape, const float* qkv, const float* dout, float* dqkv,
                     float* scratch);

}  // namespace fokker::kernel
