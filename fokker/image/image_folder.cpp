#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"
#include "fokker/data/normalisation.h"
#include "fokker/image/image_files.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Images one after another in one tensor, which becomes float at the first that is.
class ImageStack {
 public:
  ImageStack(std::string name, int64_t count) : name_(std::move(name)), count_(count) {}
  void add(int64_t i, const Tensor& image) {
    if (i == 0) {
      std::vector<int64_t> shape = {count_};
      shape.insert(shape.end(), image.sizes().begin(), image.sizes().end());
      byte_count(name_, shape, image.element_size());
      values_ = allocate(name_, shape, image.scalar_type());
    } else if (image.is_floating_point() && !values_.is_floating_point()) {
      byte_count(name_, values_.sizes(), image.element_size());
      values_ = in_unit_range(values_);
    }
    values_[i].copy_(values_.is_floating_point() ? in_unit_range(image.unsqueeze(0))[0] : image);
  }
  const Tensor& values() const { return values_; }

 private:
  std::string name_;
  int64_t count_;
  Tensor values_;
};

/// What is left to decide when all are read.
Tensor finish(const Tensor& values, const ImageFolderOptions& options, ImageNotes& notes) {
  return options.channels == 0 && values.size(1) % 2 == 0 ? notes.without_opaque_alpha(values) : values;
}

}  // namespace

Dataset load_image_folder(const fs::path& path, const ImageFolderOptions& options) try {
  check_folder_options("load_image_folder", options);
  ImageNotes notes;
  const ImageFiles found = find_images(path, notes);
  ImageStack stack(path.string(), static_cast<int64_t>(found.files.size()));
  for (size_t i = 0; i < found.files.size(); ++i) {
    const Tensor image = load_folder_image(found.files[i], options, notes);
    if (i > 0) check_same_shape(image, found.files[i], stack.values().sizes().slice(1), found.files[0]);
    stack.add(static_cast<int64_t>(i), image);
  }
  const Tensor values = finish(stack.values(), options, notes);
  Tensor labels;
  if (!found.labels.empty()) labels = at::tensor(found.labels, at::kLong);
  return {.values = values,
          .labels = labels,
          .label_names = found.label_names,
          .source = path.string(),
          .notes = notes.clauses()};
} catch (...) {
  detail::throw_as_error();
}

Dataset load_image_file(const fs::path& path, const ImageFolderOptions& options) try {
  check_folder_options("load_image_file", options);
  ImageNotes notes;
  const Tensor values = finish(load_folder_image(path, options, notes).unsqueeze(0), options, notes);
  return {.values = values, .source = path.string(), .notes = notes.clauses()};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
