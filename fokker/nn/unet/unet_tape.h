#pragma once
#include <memory>

#include "fokker/nn/unet/trained_blocks.h"
#include "fokker/nn/unet/unet_layers.h"

namespace fokker {

/// One pass of a U-Net over a batch in float32 on a CPU, layer by layer, with all that its gradients need in
/// an arena: skip connections are written where they are read. What it computes for an image does not depend
/// on the others of the batch, nor anything on the number of threads.
class UNetTape {
 public:
  /// Which gradients `backward` will give; none: it is not called.
  struct Wanted {
    bool gradients = false;  ///< of the starts at least
    bool input = false;
  };
  /// `arena` is the tape's until its end.
  UNetTape(const UNetLayers& layers, Arena& arena, Wanted wanted, kernel::FactorPrecision precision)
      : layers_(layers), arena_(arena), wanted_(wanted), pass_{.arena = arena, .precision = precision} {}

  /// y = the network of x (n, channels, h, w), both contiguous; starts (n, columns) or (1, columns): what the
  /// blocks add after their first convolution, one after the other (UNetLayers::starts). Once.
  void forward(const Tensor& x, const Tensor& starts, const Tensor& y);

  struct Gradients {
    Tensor x;  ///< undefined where it is not wanted
    Tensor starts;
  };
  /// From the gradient of y, once; those of the parameters go to `parameters`.
  Gradients backward(const Tensor& dy, ParameterGradients& parameters);

 private:
  struct Join {
    TracedMap below, skipped, whole;
  };

  TracedMap trace(const FeatureMap& like, int64_t channels);
  void make_joins(int64_t images);
  template <typename Layer, typename... Arguments>
  void run(Arguments&&... arguments);
  void resnet(const ResnetBlock& block, const TracedMap& x, const TracedMap& y);
  void block(const Level& level, size_t j, const TracedMap& x, const TracedMap& y);
  TracedMap way_down();
  void middle(const TracedMap& x, const TracedMap& y);
  TracedMap way_up();

  const UNetLayers& layers_;
  Arena& arena_;
  Wanted wanted_;
  std::vector<Join> joins_;
  TracedMap input_, output_;
  Tensor starts_;
  TrainedPass pass_;
  int64_t next_start_ = 0;
  std::vector<std::unique_ptr<TrainedLayer>> tape_;
};

}  // namespace fokker
