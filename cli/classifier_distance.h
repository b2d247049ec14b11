#pragma once
#include <optional>
#include <string>

#include "cli/option/data_options.h"
#include "fokker/data/dataset.h"

namespace fokker::cli {

struct ClassifierDistanceOptions {
  std::string data, labels;  ///< labelled images to train the classifier on
};

/// Fréchet distances of images in the features of a classifier that is trained here.
struct ClassifierDistance {
  double samples;  ///< from the reference to the samples
  /// From the reference to as many images of the classifier's data as there are samples, of those that it was
  /// not trained on: what noise alone gives. An image that is in the reference too is left out there. Absent
  /// where fewer than two images are left on either side.
  std::optional<double> real;
  int64_t real_images;  ///< how many: fewer than samples where there are not so many
  double accuracy;      ///< of the classifier on the images that it was not trained on
  int64_t seen_of_reference, reference_images;  ///< images that the classifier was trained on, of all
  int64_t seen_of_samples, sample_images;
};
ClassifierDistance classifier_distance(const Dataset& samples, const Dataset& reference,
                                       const ClassifierDistanceOptions& options, const CommonOptions& common);

}  // namespace fokker::cli
