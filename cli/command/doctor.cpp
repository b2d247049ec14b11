#include <dlfcn.h>
#include <torch/version.h>

#include "cli/option/command.h"
#include "fokker/core/runtime.h"
#include "fokker/core/text/text.h"
#include "fokker/core/version.h"
#include "fokker/distributed/ranks.h"
#include "fokker/kernel/processor.h"

namespace fokker::cli {
namespace {

/// The file that provides BLAS's sgemm_ in this process, or "" where it is not found as a shared symbol.
std::string blas_library() {
  void* symbol = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (symbol == nullptr || ::dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const auto path = std::filesystem::canonical(info.dli_fname, error);
  return error ? info.dli_fname : path.string();
}

const char* name_of(kernel::Bf16Unit unit) {
  switch (unit) {
    case kernel::Bf16Unit::tiles:
      return "matrix tiles (AMX-BF16)";
    case kernel::Bf16Unit::vectors:
      return "vectors (AVX512-BF16)";
    case kernel::Bf16Unit::none:
      break;
  }
  return "none: factors are rounded and multiplied in float32, which is slower than fp32";
}

/// What this machine reaches with the kernels that networks run on.
struct Rates {
  double float32 = 1e-9 * kernel::product_rate(kernel::FactorPrecision::float32);
  double bfloat16 = 1e-9 * kernel::product_rate(kernel::FactorPrecision::bfloat16);
  double triad = 1e-9 * kernel::triad_rate();
};

struct DoctorOptions {
  CommonOptions common;
};

int run_doctor(const CommonOptions& common) {
  const Rates rates;
  const std::vector<std::string> extensions = kernel::processor_extensions();
  const char* unit = name_of(kernel::bf16_unit());
  const std::string blas = blas_library();
  Json warnings = Json::array();
  if (blas.find("/blas/") != std::string::npos)
    warnings.push_back("matrix products are slow: install OpenBLAS (Debian: libopenblas0-pthread)");
  const Json result = {{"version", library_version()},
                       {"torch", TORCH_VERSION},
                       {"threads", thread_count()},
                       {"cpu", extensions},
                       {"vector_instructions", kernel::vector_instructions()},
                       {"bf16_unit", unit},
                       {"blas", blas},
                       {"matrix_product_gflops", rates.float32},
                       {"bf16_product_gflops", rates.bfloat16},
                       {"triad_gb_per_second", rates.triad},
                       {"mkldnn", at::hasMKL() || at::globalContext().userEnabledMkldnn()},
                       {"cuda", at::hasCUDA()},
                       {"distributed", distributed_backend()},
                       {"warnings", warnings}};
  std::string text = fmt::format(
      "fokker {}\n"
      "libtorch            {}\n"
      "threads             {}\n"
      "CPU extensions      {}\n"
      "vector kernels      {}\n"
      "bfloat16 products   {}\n"
      "matrix product      {:.0f} GFLOP/s in float32, {:.0f} in bfloat16\n"
      "memory              {:.1f} GB/s (triad)\n"
      "BLAS                {}\n"
      "GPU                 {}\n"
      "several processes   {}\n",
      library_version(), TORCH_VERSION, thread_count(), join(extensions), kernel::vector_instructions(), unit,
      rates.float32, rates.bfloat16, rates.triad, blas.empty() ? "inside libtorch" : blas,
      at::hasCUDA() ? "CUDA device found (experimental: this program has not run on a GPU yet)"
                    : "none (this libtorch has no CUDA device)",
      distributed_backend());
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
