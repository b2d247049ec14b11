#include "fokker/image/image_rows.h"

#include <mutex>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/data/normalisation.h"
#include "fokker/data/rows/stored_rows.h"
#include "fokker/image/image_files.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// What is only known when all images are decoded.
struct FolderFacts {
  std::vector<FileState> states;  ///< of each file, when it was decoded
  bool floats = false;            ///< one of them has 16 bits
  bool without_alpha = false;     ///< all are opaque, and alpha was not asked for
};

class ImageFolderRows final : public RowSource {
 public:
  ImageFolderRows(std::vector<fs::path> files, const ImageFolderOptions& options, FolderFacts facts,
                  Form form)
      : RowSource(std::move(form)), files_(std::move(files)), options_(options), facts_(std::move(facts)) {}

 private:
  Tensor do_rows(const Tensor& indices) const override {
    std::vector<int64_t> shape = {indices.size(0)};
    shape.insert(shape.end(), event_shape().begin(), event_shape().end());
    const Tensor values = at::empty(shape, at::TensorOptions(type())), asked = indices.contiguous();
    for (int64_t i = 0; i < values.size(0); ++i)
      values[i].copy_(decoded_again(static_cast<size_t>(asked.data_ptr<int64_t>()[i])));
    return values;
  }
  Tensor decoded_again(size_t i) const {
    const fs::path& file = files_[i];
    check_input(state_of_file(file) == facts_.states[i],
                "{}: it was changed while the images of its folder were in use", file.string());
    ImageNotes ignored;
    Tensor image = load_folder_image(file, options_, ignored);
    if (facts_.without_alpha) image = convert_channels(image, image.size(0) - 1);
    check_same_shape(image, file, event_shape(), files_[0]);
    return facts_.floats ? in_unit_range(image.unsqueeze(0))[0] : image;
  }

  std::vector<fs::path> files_;
  ImageFolderOptions options_;
  FolderFacts facts_;
};

/// Decodes every image once: what they have in common, and what was decided of them.
class FolderSurvey {
 public:
  FolderSurvey(const std::vector<fs::path>& files, const ImageFolderOptions& options)
      : files_(files), options_(options) {
    facts_.states.resize(files.size());
  }
  /// The shape of the images, alpha included.
  std::vector<int64_t> run(ImageNotes& notes) {
    ImageNotes first_notes;
    shape_ = load_folder_image(files_[0], options_, first_notes).sizes().vec();
    constexpr size_t files_a_job = 256;
    std::vector<ImageNotes> of_jobs((files_.size() + files_a_job - 1) / files_a_job);
    run_jobs(of_jobs.size(), available_cores(), [&](size_t job) {
      const size_t first = job * files_a_job;
      for (size_t i = first; i < std::min(files_.size(), first + files_a_job); ++i) look_at(i, of_jobs[job]);
    });
    for (const ImageNotes& each : of_jobs) notes.add_all(each);
    if (options_.channels == 0 && shape_[0] % 2 == 0) {
      facts_.without_alpha = opaque_;
      notes.note_alpha(shape_[0], opaque_);
    }
    return shape_;
  }
  FolderFacts take_facts() { return std::move(facts_); }

 private:
  void look_at(size_t i, ImageNotes& notes) {
    const FileState before = state_of_file(files_[i]);
    const Tensor image = load_folder_image(files_[i], options_, notes);
    check_same_shape(image, files_[i], shape_, files_[0]);
    const bool opaque = is_opaque(image);
    const std::lock_guard lock(mutex_);
    facts_.states[i] = before;
    facts_.floats = facts_.floats || image.is_floating_point();
    opaque_ = opaque_ && opaque;
  }

  const std::vector<fs::path>& files_;
  const ImageFolderOptions& options_;
  std::vector<int64_t> shape_;
  FolderFacts facts_;
  bool opaque_ = true;
  std::mutex mutex_;
};

}  // namespace

Dataset open_image_folder(const fs::path& path, const ImageFolderOptions& options) try {
  check_folder_options("load_image_folder", options);
  ImageNotes notes;
  ImageFiles found = find_images(path, notes);
  FolderSurvey survey(found.files, options);
  std::vector<int64_t> shape = survey.run(notes);
  FolderFacts facts = survey.take_facts();
  if (facts.without_alpha) --shape[0];
  const RowSource::Form form{std::ssize(found.files), shape, facts.floats ? at::kFloat : at::kByte};
  Dataset data;
  if (!found.labels.empty()) data.labels = at::tensor(found.labels, at::TensorOptions(at::kLong));
  data.label_names = std::move(found.label_names);
  data.source = path.string();
  data.notes = notes.clauses();
  data.stored = std::make_shared<ImageFolderRows>(std::move(found.files), options, std::move(facts), form);
  return data;
} catch (...) {
  detail::throw_as_error();
}

double bytes_of_image_folder(const fs::path& path, const ImageFolderOptions& options) try {
  check_folder_options("load_image_folder", options);
  ImageNotes notes;
  const ImageFiles found = find_images(path, notes);
  const Tensor first = load_folder_image(found.files[0], options, notes);
  // The images, and those of training, which are copied.
  return 2 * static_cast<double>(found.files.size()) * static_cast<double>(first.nbytes());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
