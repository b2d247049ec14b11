// A program that links fokker::image, and need not say more: load_data reads images.
#include <cstdio>

#include "fokker/data/load.h"
#include "fokker/image/image.h"

int main() {
  using namespace fokker;
  const at::Tensor image = at::arange(6, at::kByte).reshape({1, 2, 3});
  save_png("consumer.png", image);
  const Dataset data = load_data("consumer.png");
  if (!data.values[0].equal(image)) {
    std::fprintf(stderr, "images: expected the pixels that were saved\n");
    return 1;
  }
  std::printf("images: %s\n", data.source.c_str());
  return 0;
}
