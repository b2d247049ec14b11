#include "cli/classifier_distance.h"

#include "fokker/core/error.h"
#include "fokker/core/progress.h"
#include "fokker/evaluate/frechet.h"
#include "fokker/evaluate/image_classifier.h"

namespace fokker::cli {
namespace {

void check_alike(const Dataset& example, const Dataset& data) {
  check_input(data.is_images() && data.event_shape() == example.event_shape() && data.size() > 1,
              "{}: expected at least two images of shape {} as in {} but it has {}", data.source,
              shape_string(IntArrayRef(example.event_shape())), example.source, shape_string(data.values));
}

}  // namespace

ClassifierDistance classifier_distance(const Dataset& samples, const Dataset& reference,
                                       const ClassifierDistanceOptions& options,
                                       const CommonOptions& common) {
  const Dataset labelled = read_data_file(options.data, {.labels_path = options.labels});
  check_alike(labelled, samples);
  check_alike(labelled, reference);
  Progress progress("classifier", 1000);
  const ImageClassifier classifier(labelled, {.seed = common.seed},
                                   [&](double done) { progress.update(static_cast<int64_t>(1000 * done)); });
  progress.finish();
  const Tensor expected = classifier.features(reference.values);
  const Tensor some = Rng(common.seed).stream("real").permutation(labelled.size());
  const Tensor real =
      labelled.values.index_select(0, some.narrow(0, 0, std::min(samples.size(), labelled.size())));
  return {.samples = frechet_distance(classifier.features(samples.values), expected),
          .real = frechet_distance(classifier.features(real), expected),
          .accuracy = classifier.accuracy()};
}

}  // namespace fokker::cli
