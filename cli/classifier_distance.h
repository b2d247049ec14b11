#pragma once
#include <string>

#include "cli/data_options.h"
#include "fokker/data/dataset.h"

namespace fokker::cli {

struct ClassifierDistanceOptions {
  std::string data, labels;  ///< labelled images to train the classifier on
};

/// Fréchet distances of images in the features of a classifier that is trained here.
struct ClassifierDistance {
  double samples;   ///< from the reference to the samples
  double real;      ///< from the reference to as many images of the classifier's data: what noise alone gives
  double accuracy;  ///< of the classifier on held-out images
};
ClassifierDistance classifier_distance(const Dataset& samples, const Dataset& reference,
                                       const ClassifierDistanceOptions& options, const CommonOptions& common);

}  // namespace fokker::cli
