#include "fokker/data/array/cifar.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"

namespace fokker {
namespace {

constexpr int64_t cifar_pixels = int64_t{3} * 32 * 32;

constexpr const char* cifar10_names = "airplane automobile bird cat deer dog frog horse ship truck";
constexpr const char* cifar100_names =
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel "
    "can "
    "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur "
    "dolphin "
    "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard "
    "lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
    "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal "
    "shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank "
    "telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm";

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

/// Labels of one kind of record, which has `bytes` of them ahead of the levels; the last is the one read.
Dataset from_records(const Tensor& file, int64_t bytes, const char* names, const std::string& name) {
  const int64_t record = bytes + cifar_pixels;
  const Tensor records = file.view({-1, record});
  std::vector<std::string> words = words_of(names);
  const Tensor labels = records.select(1, bytes - 1).to(at::kLong);
  const Tensor bad = labels.ge(std::ssize(words)).nonzero();
  if (bad.numel() > 0) {
    const int64_t row = bad[0][0].item<int64_t>();
    fail(ErrorKind::input, "{}: byte {}: expected a label of 0 to {} but found {}", name,
         row * record + bytes - 1, words.size() - 1, labels[row].item<int64_t>());
  }
  return {.values = records.slice(1, bytes).reshape({-1, 3, 32, 32}).contiguous(),
          .labels = labels,
          .label_names = std::move(words),
          .source = name};
}

}  // namespace

Dataset load_cifar(const std::filesystem::path& path) try {
  const auto reader = open_bytes(path);
  const Remaining size = reader->remaining();
  const auto bytes = static_cast<int64_t>(size.at_most);
  const bool fits10 = bytes % (1 + cifar_pixels) == 0, fits100 = bytes % (2 + cifar_pixels) == 0;
  check_input(
      size.exact && bytes > 0 && (fits10 || fits100),
      "{}: expected a binary file of CIFAR-10 or CIFAR-100, a multiple of {} or {} bytes, but it has {}",
      reader->name(), 1 + cifar_pixels, 2 + cifar_pixels, describe_bytes(size.at_most));
  const Tensor file = read_tensor(*reader, {bytes}, at::kByte);
  const bool is10 =
      fits10 && (!fits100 || file.view({-1, 1 + cifar_pixels}).select(1, 0).lt(10).all().item<bool>());
  return is10 ? from_records(file, 1, cifar10_names, reader->name())
              : from_records(file, 2, cifar100_names, reader->name());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
