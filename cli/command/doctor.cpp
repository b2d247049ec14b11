#include <dlfcn.h>
#include <torch/version.h>

#include <chrono>

#include "cli/option/command.h"
#include "fokker/core/runtime.h"
#include "fokker/core/version.h"

namespace fokker::cli {
namespace {

/// Rate of a float32 matrix product of order n, in GFLOP/s: the best of three.
double matrix_product_rate(int64_t n) {
  const Tensor a = at::ones({n, n}), b = at::ones({n, n});
  double best = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    at::mm(a, b);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2e-9 * static_cast<double>(n * n * n) / seconds);
  }
  return best;
}

/// The file that provides BLAS's sgemm_ in this process, or "" where it is not found as a shared symbol.
std::string blas_library() {
  void* symbol = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (symbol == nullptr || ::dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const auto path = std::filesystem::canonical(info.dli_fname, error);
  return error ? info.dli_fname : path.string();
}

Json cpu_features() {
  Json features = Json::array();
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) features.push_back("avx2");
  if (__builtin_cpu_supports("fma")) features.push_back("fma");
  if (__builtin_cpu_supports("avx512f")) features.push_back("avx512f");
  if (__builtin_cpu_supports("avx512bw")) features.push_back("avx512bw");
  if (__builtin_cpu_supports("avx512vnni")) features.push_back("avx512vnni");
  return features;
}

struct DoctorOptions {
  CommonOptions common;
};

int run_doctor(const CommonOptions& common) {
  const double rate = matrix_product_rate(768);
  const std::string blas = blas_library();
  Json warnings = Json::array();
  // The reference BLAS reaches 1 to 3 GFLOP/s a core on any machine of the last ten years.
  if (rate < 8.0 * thread_count() || blas.find("/blas/") != std::string::npos)
    warnings.push_back("matrix products are slow: install OpenBLAS (Debian: libopenblas0-pthread)");
  const Json result = {{"version", library_version()},
                       {"torch", TORCH_VERSION},
                       {"threads", thread_count()},
                       {"cpu", cpu_features()},
                       {"blas", blas},
                       {"matrix_product_gflops", rate},
                       {"mkldnn", at::hasMKL() || at::globalContext().userEnabledMkldnn()},
                       {"cuda", at::hasCUDA()},
                       {"warnings", warnings}};
  std::string text = fmt::format(
      "fokker {}\nlibtorch            {}\nthreads             {}\nCPU features        {}\nBLAS               "
      " {}\n"
      "matrix product      {:.0f} GFLOP/s (float32)\nGPU                 {}\n",
      library_version(), TORCH_VERSION, thread_count(), json_text(cpu_features()),
      blas.empty() ? "inside libtorch" : blas, rate,
      at::hasCUDA() ? "CUDA device found" : "none (this libtorch has no CUDA device)");
  for (const auto& warning : warnings) text += "warning: " + warning.get<std::string>() + "\n";
  if (warnings.empty()) text += "nothing is missing\n";
  print_result(common, result, text);
  return 0;
}

}  // namespace

void add_doctor(CommandLine& line) {
  add_command<DoctorOptions>(
      line,
      {"doctor", "Say what this build and machine have, and what is slow or missing", "fokker doctor --json"},
      [](Command&, DoctorOptions&) {},
      [](const DoctorOptions& o, const Command&) { return run_doctor(o.common); });
}

}  // namespace fokker::cli
