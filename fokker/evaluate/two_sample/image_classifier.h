#pragma once
#include <functional>

#include "fokker/data/dataset.h"
#include "fokker/data/normalisation.h"
#include "fokker/nn/layers.h"

namespace fokker {

struct ClassifierOptions {
  int64_t epochs = 3;
  int64_t batch = 128;
  double learning_rate = 2e-3;
  double held_out = 0.1;  ///< fraction of the rows that its accuracy is measured on
  uint64_t seed = 0;
};

/// A small convolutional classifier of images, trained on labelled ones, for features in which to compare
/// samples with data: three 3 x 3 convolutions of 32, 64 and 128 channels with SiLU, halvings between them,
/// the average over pixels (the features), and a linear layer.
class ImageClassifier {
 public:
  static constexpr int64_t feature_count = 128;

  /// Trains on images with labels by AdamW and cross-entropy; a step calls `progress` with the fraction done.
  /// Input error for data without labels, of one class, or smaller than 4 x 4 pixels.
  ImageClassifier(const Dataset& labelled, const ClassifierOptions& options,
                  const std::function<void(double)>& progress = {});

  /// Images (n, channels, height, width) of the size it was trained on, uint8 levels or floats in [-1, 1] ->
  /// (n, feature_count) float32. Input error for another shape.
  Tensor features(const Tensor& images) const;
  /// Fraction of the held-out images whose class it names.
  double accuracy() const { return accuracy_; }
  /// The images that it was not trained on, as they were given.
  const Tensor& held_out_images() const { return held_out_images_; }

 private:
  Tensor embed(const Tensor& x) const;
  void train(const Dataset& data, const ClassifierOptions& options,
             const std::function<void(double)>& progress);
  double measure(const Dataset& data) const;

  std::vector<int64_t> shape_;
  std::vector<Convolution> convolutions_;
  Linear output_;
  std::vector<NamedTensor> parameters_;
  double accuracy_ = 0;
  Tensor held_out_images_;
};

}  // namespace fokker
