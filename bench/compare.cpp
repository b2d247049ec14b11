// Our side of a comparison: bench_compare CASE FOLDER [key=value ...]
// prepares the case, then answers each line of standard input: "run" does the work once and prints its
// seconds, "precision" prints the arithmetic of its products, "save" writes the result to FOLDER/ours.npy.
// `bench/compare.py` drives it beside its peers. bench_compare limits [threads=N] prints what the machine can
// do at best; bench_compare picture JSON FILE draws what bench/scaling.py measured; bench_compare products
// compares single products with oneDNN's, bench_compare guidance guided sampling with plain.
#include <ATen/Parallel.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include "case.h"
#include "fokker/core/check.h"
#include "fokker/core/runtime.h"
#include "fokker/data/array/npy.h"
#include "guidance_cost.h"
#include "machine_limits.h"
#include "product_rates.h"
#include "scaling_picture.h"

namespace fokker::bench {

Settings::Settings(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    const auto sign = word.find('=');
    check(sign != std::string::npos, "bench: expected key=value but received '{}'", word);
    values_[word.substr(0, sign)] = word.substr(sign + 1);
  }
}

std::string Settings::text(const std::string& key, const std::string& otherwise) const {
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}

int64_t Settings::number(const std::string& key, int64_t otherwise) const {
  const std::string value = text(key, "");
  return value.empty() ? otherwise : std::stoll(value);
}

double Settings::real(const std::string& key, double otherwise) const {
  const std::string value = text(key, "");
  return value.empty() ? otherwise : std::stod(value);
}

namespace {

std::vector<Case> all_cases() {
  std::vector<Case> all = mlp_cases();
  for (auto more : {unet_cases, exact_denoiser_cases, normals_cases})
    for (auto& c : more()) all.push_back(std::move(c));
  return all;
}

void serve(Work& work, const std::filesystem::path& folder) {
  std::puts("ready");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "save") {
      save_npy(folder / "ours.npy", work.result());
      std::puts("saved");
    } else if (line == "precision") {
      std::puts(work.precision().c_str());
    } else {
      const auto start = std::chrono::steady_clock::now();
      work.run();
      std::printf("%.9f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::fflush(stdout);
  }
}

int print_limits(const Settings& settings) {
  at::set_num_threads(static_cast<int>(settings.number("threads", 2)));
  const MachineLimits limits = measure_limits();
  std::printf("{\"products\": %.4g, \"bf16_products\": %.4g, \"bandwidth\": %.4g}\n", limits.products,
              limits.bf16_products, limits.bandwidth);
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] == "limits")
    return print_limits(Settings({arguments.begin() + 1, arguments.end()}));
  if (arguments.size() == 3 && arguments[0] == "picture") return draw_scaling(arguments[1], arguments[2]), 0;
  if (arguments.size() == 1 && arguments[0] == "products") return print_product_rates(), 0;
  if (arguments.size() == 1 && arguments[0] == "guidance") {
    at::set_num_threads(1);
    return print_guidance_cost(), 0;
  }
  check(arguments.size() >= 2, "usage: bench_compare CASE FOLDER [key=value ...]");
  const std::filesystem::path folder = arguments[1];
  const Settings settings({arguments.begin() + 2, arguments.end()});
  at::set_num_threads(static_cast<int>(settings.number("threads", 2)));
  for (const Case& c : all_cases())
    if (c.name == arguments[0]) {
      const auto work = c.prepare(settings, folder);
      serve(*work, folder);
      return 0;
    }
  fail(ErrorKind::argument, "bench_compare: unknown case '{}'", arguments[0]);
}

}  // namespace
}  // namespace fokker::bench

int main(int argc, char** argv) {
  try {
    fokker::keep_freed_memory();  // as the command does
    return fokker::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_compare: %s\n", error.what());
    return 1;
  }
}
