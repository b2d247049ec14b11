// A million float32 normal numbers, as one side of a comparison: reads one line per repeat and prints the
// seconds.
//   normals_side [COLUMNS]
#include <chrono>
#include <iostream>

#include "fokker/core/rng.h"

int main(int count, char** arguments) {
  using namespace fokker;
  const int64_t columns = count > 1 ? std::stol(arguments[1]) : 1000;
  const Rng rng(0);
  uint32_t step = 0;
  rng.normal({1'000'000 / columns, columns}, {.step = step});  // warm-up, on both sides
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    rng.normal({1'000'000 / columns, columns}, {.step = ++step});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cout << "{\"seconds\": " << seconds.count() << "}" << std::endl;
  }
}
