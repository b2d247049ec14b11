// 2^y on Highway's vectors. Included once per target.
#if defined(FOKKER_KERNEL_POWER_OF_TWO_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_KERNEL_POWER_OF_TWO_INL_H_
#undef FOKKER_KERNEL_POWER_OF_TWO_INL_H_
#else
#define FOKKER_KERNEL_POWER_OF_TWO_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Several vectors at once, step by step: a processor looks ahead some sixty vector operations, and the chain
// of one vector is so long that it would wait for its own results.

/// 2^f for |f| <= 1/2. In float a minimax polynomial with p(0) = 1, off by 9.2e-8 of the value, and 1.6e-7
/// with its rounding.
template <class D, class V, size_t N, hwy::EnableIf<sizeof(hn::TFromD<D>) == 4>* = nullptr>
HWY_INLINE void powers_of_fractions(D d, V (&f)[N]) {
  constexpr float coefficients[] = {9.671512991189957e-3f, 5.550733581185341e-2f, 2.402224242687225e-1f,
                                    6.931470036506653e-1f, 1.0f};
  V sum[N];
  HWY_UNROLL(4) for (size_t i = 0; i < N; ++i) sum[i] = hn::Set(d, 1.326472731307149e-3f);
  HWY_UNROLL(5) for (int c = 0; c < 5; ++c) {
    HWY_UNROLL(4)
    for (size_t i = 0; i < N; ++i) sum[i] = hn::MulAdd(sum[i], f[i], hn::Set(d, coefficients[c]));
  }
  HWY_UNROLL(4) for (size_t i = 0; i < N; ++i) f[i] = sum[i];
}

/// In double Taylor's series of exp(f log 2) to the 12th power, even and odd powers apart.
template <class D, class V, size_t N, hwy::EnableIf<sizeof(hn::TFromD<D>) == 8>* = nullptr>
HWY_INLINE void powers_of_fractions(D d, V (&f)[N]) {
  constexpr double factorials[] = {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                                   1.0 / 120,     1.0 / 24,     1.0 / 6,     0.5,        1.0};
  for (V& value : f) {
    const V r = hn::Mul(value, hn::Set(d, 6.93147180559945309417e-01)), square = hn::Mul(r, r);
    V even = hn::Set(d, 1.0 / 479001600), odd = hn::Set(d, 1.0 / 39916800);
    HWY_UNROLL(5) for (int i = 0; i < 10; i += 2) {
      even = hn::MulAdd(even, square, hn::Set(d, factorials[i]));
      odd = hn::MulAdd(odd, square, hn::Set(d, factorials[i + 1]));
    }
    value = hn::MulAdd(even, square, hn::MulAdd(odd, r, hn::Set(d, 1.0)));
  }
}

/// y -> 2^y; y below -120 (float) or -1000 (double) counts as that, and NaN gives NaN.
template <class D, class V, size_t N>
HWY_INLINE void powers_of_two(D d, V (&y)[N]) {
  using T = hn::TFromD<D>;
  constexpr int mantissa = sizeof(T) == 4 ? 23 : 52;
  const hn::RebindToUnsigned<D> bits;
  // Adding it rounds to an integer and leaves that in the low bits.
  const V magic = hn::Set(d, static_cast<T>(uint64_t{3} << (mantissa - 1)));
  V shifted[N];
  HWY_UNROLL(4) for (size_t i = 0; i < N; ++i) {
    const V least = hn::Set(d, static_cast<T>(sizeof(T) == 4 ? -120 : -1000));
    y[i] = hn::IfThenElse(hn::Lt(y[i], least), least, y[i]);  // Max() would lose NaN
    shifted[i] = hn::Add(y[i], magic);
    y[i] = hn::Sub(y[i], hn::Sub(shifted[i], magic));
  }
  powers_of_fractions(d, y);
  HWY_UNROLL(4) for (size_t i = 0; i < N; ++i) {
    const auto exponent = hn::ShiftLeft<mantissa>(hn::BitCast(bits, shifted[i]));
    y[i] = hn::BitCast(d, hn::Add(hn::BitCast(bits, y[i]), exponent));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#endif
