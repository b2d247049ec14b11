#include "product_rates.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "fokker/kernel/matrix/factor.h"
#include "fokker/kernel/vector/activation.h"

namespace fokker::bench {
namespace {

using kernel::FactorPrecision;

struct Shape {
  int64_t rows, depth, columns;
  double operations() const { return 2.0 * static_cast<double>(rows * depth * columns); }
};

/// Seconds of one call, the least of twenty runs of some 2 ms.
template <typename Work>
double least_seconds(const Shape& shape, Work work) {
  const int calls = static_cast<int>(std::max(1.0, 2e8 / shape.operations()));
  double least = 1e300;
  for (int run = 0; run < 20; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) work();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least / calls;
}

double our_rate(const Shape& s, FactorPrecision precision, bool layer) {
  std::vector<float> a(s.rows * s.depth, 0.5f), b(s.depth * s.columns, 0.25f), c(s.rows * s.columns),
      bias(s.columns);
  std::vector<float> memory(kernel::packed_factor_size(precision, s.depth, s.columns));
  const auto packed =
      kernel::pack_factor(precision, {b.data(), s.columns, 1}, s.depth, s.columns, memory.data());
  const kernel::MatrixRows result = {c.data(), s.columns};
  return s.operations() / least_seconds(s, [&] {
           kernel::gemm({a.data(), s.depth, 1}, s.rows, packed, {.bias = bias.data()}, c.data(), s.columns);
           if (layer) kernel::activate(kernel::ActivationKind::silu, result, s.rows, s.columns, result);
         });
}

/// 0 where oneDNN has none here. Factors of a layer in bfloat16 give a result in it: what the next one takes.
double onednn_rate(const Shape& s, FactorPrecision precision, bool layer) {
  using Memory = dnnl::memory;
  const bool whole = precision == FactorPrecision::float32;
  const auto type = whole ? Memory::data_type::f32 : Memory::data_type::bf16;
  const auto rows = Memory::format_tag::ab;
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    dnnl::primitive_attr attributes;
    if (layer) {
      dnnl::post_ops after;
      after.append_eltwise(1, dnnl::algorithm::eltwise_swish, 1, 0);
      attributes.set_post_ops(after);
    }
    const dnnl::matmul::desc description({{s.rows, s.depth}, type, rows},
                                         {{s.depth, s.columns}, type, Memory::format_tag::any},
                                         {{1, s.columns}, Memory::data_type::f32, rows},
                                         {{s.rows, s.columns}, layer ? type : Memory::data_type::f32, rows});
    const dnnl::matmul::primitive_desc chosen(description, attributes, engine);
    Memory a(chosen.src_desc(), engine), b(chosen.weights_desc(), engine), bias(chosen.bias_desc(), engine),
        c(chosen.dst_desc(), engine);
    for (Memory* m : {&a, &b, &bias, &c})
      std::fill_n(static_cast<char*>(m->get_data_handle()), m->get_desc().get_size(), '\0');
    const dnnl::matmul product(chosen);
    return s.operations() / least_seconds(s, [&] {
             product.execute(
                 stream,
                 {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, c}});
             stream.wait();
           });
  } catch (const dnnl::error&) {
    return 0;
  }
}

}  // namespace

void print_product_rates() {
  at::set_num_threads(1);
  std::printf("%-18s %-9s %24s %24s\n", "rows x depth x n", "factors", "product: ours, oneDNN",
              "layer: ours, oneDNN");
  for (const Shape& s : {Shape{1, 256, 256}, Shape{24, 128, 128}, Shape{120, 256, 256}, Shape{120, 128, 1024},
                         Shape{120, 2, 256}, Shape{480, 256, 256}, Shape{96, 40, 40}, Shape{96, 160, 160}})
    for (const auto precision : {FactorPrecision::float32, FactorPrecision::bfloat16}) {
      const auto rate = [&](auto of, bool layer) { return 1e-9 * of(s, precision, layer); };
      char name[64];
      std::snprintf(name, sizeof name, "%ld x %ld x %ld", static_cast<long>(s.rows),
                    static_cast<long>(s.depth), static_cast<long>(s.columns));
      std::printf("%-18s %-9s %11.0f %12.0f %11.0f %12.0f\n", name,
                  precision == FactorPrecision::float32 ? "float32" : "bfloat16", rate(our_rate, false),
                  rate(onednn_rate, false), rate(our_rate, true), rate(onednn_rate, true));
    }
  std::puts("Gflop/s on one thread; layer: with a bias and SiLU");
}

}  // namespace fokker::bench
