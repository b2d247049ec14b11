#include "machine_limits.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/kernel/processor.h"

namespace fokker::bench {
namespace {

double least_seconds(int repeats, const std::function<void()>& work) {
  double least = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

double product_rate() {
  constexpr dnnl_dim_t n = 2048;
  std::vector<float> a(n * n, 0.5f), b(n * n, 0.25f), c(n * n);
  const double seconds = least_seconds(7, [&] {
    const auto status = dnnl_sgemm('N', 'N', n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
    check(status == dnnl_success, "bench: oneDNN's product failed with status {}", static_cast<int>(status));
  });
  return 2.0 * n * n * n / seconds;
}

double bf16_product_rate() {
  constexpr dnnl_dim_t n = 2048;
  using Memory = dnnl::memory;
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    const auto square = [](Memory::data_type type) {
      return Memory::desc({n, n}, type, Memory::format_tag::ab);
    };
    const auto factor = square(Memory::data_type::bf16), sum = square(Memory::data_type::f32);
    const dnnl::matmul product({{factor, factor, sum}, engine});
    Memory a(factor, engine), b(factor, engine), c(sum, engine);
    for (Memory* m : {&a, &b})
      std::fill_n(static_cast<char*>(m->get_data_handle()), m->get_desc().get_size(), '\0');
    const double seconds = least_seconds(7, [&] {
      product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
      stream.wait();
    });
    return 2.0 * n * n * n / seconds;
  } catch (const dnnl::error&) {
    return 0;
  }
}

}  // namespace

MachineLimits measure_limits() {
  return {
      .products = product_rate(), .bf16_products = bf16_product_rate(), .bandwidth = kernel::triad_rate()};
}

}  // namespace fokker::bench
