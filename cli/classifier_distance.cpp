#include "cli/classifier_distance.h"

#include <string_view>
#include <unordered_set>

#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/data/normalisation.h"
#include "fokker/evaluate/two_sample/frechet.h"
#include "fokker/evaluate/two_sample/image_classifier.h"

namespace fokker::cli {
namespace {

void check_alike(const Dataset& example, const Dataset& data) {
  check_input(data.is_images() && data.event_shape() == example.event_shape() && data.size() > 1,
              "{}: expected at least two images of shape {} as in {} but it has {}", data.source,
              shape_string(IntArrayRef(example.event_shape())), example.source, shape_string(data.values));
}

using Keys = std::unordered_set<size_t>;

/// A number for each image, the same where all pixels are equal.
std::vector<size_t> image_keys(const Tensor& images) {
  std::vector<size_t> keys;
  constexpr int64_t block = 1024;
  for (int64_t first = 0; first < images.size(0); first += block) {
    const Tensor some = in_unit_range(images.slice(0, first, first + block)).flatten(1).contiguous();
    const auto* bytes = static_cast<const char*>(some.data_ptr());
    const size_t length = some.size(1) * sizeof(float);
    for (int64_t i = 0; i < some.size(0); ++i)
      keys.push_back(std::hash<std::string_view>()({bytes + static_cast<size_t>(i) * length, length}));
  }
  return keys;
}

int64_t count_among(const Tensor& images, const Keys& known) {
  int64_t count = 0;
  for (const size_t key : image_keys(images)) count += known.contains(key);
  return count;
}

Tensor rows_not_among(const Tensor& images, const Keys& known) {
  const std::vector<size_t> keys = image_keys(images);
  std::vector<int64_t> rows;
  for (size_t i = 0; i < keys.size(); ++i)
    if (!known.contains(keys[i])) rows.push_back(static_cast<int64_t>(i));
  return at::tensor(rows, at::kLong);
}

Keys keys_of(const Tensor& images) {
  const std::vector<size_t> keys = image_keys(images);
  return {keys.begin(), keys.end()};
}

/// As many images as samples are kept from the classifier, a tenth at least and half at most.
double held_out_share(int64_t samples, int64_t labelled) {
  return std::clamp(static_cast<double>(samples) / static_cast<double>(labelled), 0.1, 0.5);
}

}  // namespace

ClassifierDistance classifier_distance(const Dataset& samples, const Dataset& reference,
                                       const ClassifierDistanceOptions& options,
                                       const CommonOptions& common) {
  const Dataset labelled = read_data_file(options.data, {.labels_path = options.labels});
  check_alike(labelled, samples);
  check_alike(labelled, reference);
  Progress progress("classifier", 1000);
  const ImageClassifier classifier(
      labelled, {.held_out = held_out_share(samples.size(), labelled.size()), .seed = common.seed},
      [&](double done) { progress.update(static_cast<int64_t>(1000 * done)); });
  progress.finish();
  const Tensor& unseen = classifier.held_out_images();
  const Tensor some = Rng(common.seed).stream("real").permutation(unseen.size(0));
  const Tensor real = unseen.index_select(0, some.slice(0, 0, samples.size()));
  const Tensor expected = classifier.features(reference.values);
  const Tensor others = rows_not_among(reference.values, keys_of(real));
  const Keys seen =
      keys_of(labelled.values.index_select(0, rows_not_among(labelled.values, keys_of(unseen))));
  ClassifierDistance result{.samples = frechet_distance(classifier.features(samples.values), expected),
                            .real = {},
                            .real_images = real.size(0),
                            .accuracy = classifier.accuracy(),
                            .seen_of_reference = count_among(reference.values, seen),
                            .reference_images = reference.size(),
                            .seen_of_samples = count_among(samples.values, seen),
                            .sample_images = samples.size()};
  if (real.size(0) > 1 && others.size(0) > 1)
    result.real = frechet_distance(classifier.features(real), expected.index_select(0, others));
  return result;
}

}  // namespace fokker::cli
