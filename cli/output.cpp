#include "cli/output.h"

#include <unistd.h>

#include <filesystem>

#include "fokker/core/check.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/image/image.h"
#include "fokker/plot/chart/charts.h"
#include "fokker/plot/mark/image_grid.h"

namespace fokker::cli {
namespace fs = std::filesystem;
namespace {

void save_images(const std::string& folder, const Tensor& images) {
  const auto digits = std::max<size_t>(5, std::to_string(images.size(0) - 1).size());
  for (int64_t i = 0; i < images.size(0); ++i)
    save_png(fs::path(folder) / fmt::format("{:0{}}.png", i, digits), images[i]);
}

}  // namespace

void prepare_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK) != 0)
    fail(ErrorKind::resource, "{}: the folder cannot be written", folder);
}

void check_output(const std::string& file) {
  const std::string extension = fs::path(file).extension().string();
  check(extension == ".npy" || extension == ".csv" || extension == ".png",
        "{}: expected an output that ends in .npy, .csv or .png", file);
  check_folder_of(file);
}

bool is_samples_folder(const std::string& file) {
  return file.ends_with('/');
}

void check_samples_output(const std::string& file) {
  if (is_samples_folder(file)) {
    check(!fs::exists(file) || (fs::is_directory(file) && fs::is_empty(file)),
          "{}: expected a new or an empty folder for images", file);
    return prepare_folder(file);
  }
  const std::string extension = fs::path(file).extension().string();
  check(extension == ".npy" || extension == ".npz" || extension == ".csv" || extension == ".png",
        "{}: expected an output that ends in .npy, .npz, .csv or .png, or of images a folder that ends in /",
        file);
  check_folder_of(file);
}

void check_folder_of(const std::string& file) {
  const fs::path path(file);
  check(!fs::is_directory(path), "{}: expected a file but it is a folder", file);
  prepare_folder(path.has_parent_path() ? path.parent_path().string() : ".");
}

void check_output_holds(const std::string& file, at::IntArrayRef event) {
  const std::string extension = fs::path(file).extension().string();
  const bool images = event.size() == 3;
  check(extension != ".csv" || !images, "{}: images are written as .npy or .png", file);
  check(!is_samples_folder(file) || images, "{}: a folder is for images; write a table as .csv or .npy",
        file);
  check(extension != ".png" || images || event.equals({2}),
        "{}: a picture of points needs 2 columns but the samples have {}; write .npy or .csv", file,
        event.back());
}

void write_samples(const std::string& file, const Tensor& values, const std::vector<std::string>& columns) {
  check_output_holds(file, values.sizes().slice(1));
  const std::string extension = fs::path(file).extension().string();
  const bool images = values.dim() == 4;
  if (is_samples_folder(file)) return save_images(file, values);
  if (extension == ".npy") return save_npy(file, values);
  if (extension == ".npz") return save_npz(file, {{"x", values}});
  if (extension == ".png" && images) return plot::save_image_grid(file, values);
  if (extension == ".png") return plot::scatter(values).save(file);
  save_csv(file, values, columns);
}

void write_samples(const std::string& file, const Dataset& samples) {
  if (fs::path(file).extension() != ".csv") return write_samples(file, samples.values, samples.columns);
  check_output_holds(file, samples.event_shape());
  save_table(file, samples);
}

}  // namespace fokker::cli
