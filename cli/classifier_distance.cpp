#include "cli/classifier_distance.h"

#include "fokker/core/error.h"
#include "fokker/core/progress.h"
#include "fokker/data/load.h"
#include "fokker/evaluate/frechet.h"
#include "fokker/evaluate/image_classifier.h"

namespace fokker::cli {
namespace {

Tensor images_like(const Dataset& example, const std::string& file) {
  Dataset data = load_data(file);
  check_input(data.is_images() && data.event_shape() == example.event_shape() && data.size() > 1,
              "{}: expected at least two images of shape {} as in {} but it has {}", file,
              shape_string(IntArrayRef(example.event_shape())), example.source, shape_string(data.values));
  return data.values;
}

}  // namespace

ClassifierDistance classifier_distance(const std::string& samples, const std::string& reference,
                                       const ClassifierDistanceOptions& options,
                                       const CommonOptions& common) {
  check(!reference.starts_with("target:"), "classifier-data: expected --reference to be a file of images");
  const Dataset labelled = load_data(options.data, {.labels_path = options.labels});
  const Tensor drawn = images_like(labelled, samples), held = images_like(labelled, reference);
  Progress progress("classifier", 1000);
  const ImageClassifier classifier(labelled, {.seed = common.seed},
                                   [&](double done) { progress.update(static_cast<int64_t>(1000 * done)); });
  progress.finish();
  const Tensor expected = classifier.features(held);
  const Tensor some = Rng(common.seed).stream("real").permutation(labelled.size());
  const Tensor real =
      labelled.values.index_select(0, some.narrow(0, 0, std::min(drawn.size(0), labelled.size())));
  return {.samples = frechet_distance(classifier.features(drawn), expected),
          .real = frechet_distance(classifier.features(real), expected),
          .accuracy = classifier.accuracy()};
}

}  // namespace fokker::cli
