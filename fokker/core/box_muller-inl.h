// Logarithm, sine and cosine on Highway's vectors, for uniform arguments in (0, 1). Included once per target.
// Only +, -, *, / and square roots, never contracted: all targets give the same bits.
#if defined(FOKKER_CORE_BOX_MULLER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_CORE_BOX_MULLER_INL_H_
#undef FOKKER_CORE_BOX_MULLER_INL_H_
#else
#define FOKKER_CORE_BOX_MULLER_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fokker {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// In float (coefficients of Moshier's Cephes): log(1 + f) = f - f^2/2 + f^3 P(f). In double (Sun's fdlibm): f
// - f^2/2 + s (f^2/2 + s^2 P(s^2)) with s = f / (2 + f). Sine and cosine on [-pi/4, pi/4].
template <typename T>
struct Coefficients;

template <>
struct Coefficients<float> {
  using Bits = uint32_t;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr Bits one = 0x3f800000, root_half = 0x3f3504f3, integer = 0x4b000000;
  static constexpr float log2_high = 6.93359375e-01f, log2_low = -2.12194440e-4f;
  static constexpr float log[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                                  -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                                  2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  static constexpr float sin[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
  static constexpr float cos[] = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
};

template <>
struct Coefficients<double> {
  using Bits = uint64_t;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr Bits one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd,
                        integer = 0x4330000000000000;
  static constexpr double log2_high = 6.93147180369123816490e-01, log2_low = 1.90821492927058770002e-10;
  static constexpr double log[] = {
      1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
      2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
  static constexpr double sin[] = {1.58969099521155010221e-10, -2.50507602534068634195e-08,
                                   2.75573137070700676789e-06, -1.98412698298579493134e-04,
                                   8.33333333332248946124e-03, -1.66666666666666324348e-01};
  static constexpr double cos[] = {-1.13596475577881948265e-11, 2.08757232129817482790e-09,
                                   -2.75573143513906633035e-07, 2.48015872894767294178e-05,
                                   -1.38888888888741095749e-03, 4.16666666666666019037e-02};
};

/// Highest power first. Even and odd powers by Horner's rule in z^2: half as long a chain of operations.
template <class D, class V, typename T, size_t N>
HWY_INLINE V polynomial(D d, V z, const T (&coefficients)[N]) {
  const V square = hn::Mul(z, z);
  V first = hn::Set(d, coefficients[0]), second = hn::Set(d, coefficients[1]);
  for (size_t i = 2; i < N; i += 2) {
    first = hn::Add(hn::Mul(first, square), hn::Set(d, coefficients[i]));
    if (i + 1 < N) second = hn::Add(hn::Mul(second, square), hn::Set(d, coefficients[i + 1]));
  }
  return N % 2 == 1 ? hn::Add(first, hn::Mul(second, z)) : hn::Add(hn::Mul(first, z), second);
}

/// log(1 + f) - f + f^2/2, given `half` = f^2/2.
template <class D, class V, hwy::EnableIf<sizeof(hn::TFromD<D>) == 4>* = nullptr>
HWY_INLINE V log_rest(D d, V f, V) {
  return hn::Mul(hn::Mul(hn::Mul(f, f), f), polynomial(d, f, Coefficients<float>::log));
}
template <class D, class V, hwy::EnableIf<sizeof(hn::TFromD<D>) == 8>* = nullptr>
HWY_INLINE V log_rest(D d, V f, V half) {
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2.0)));
  const V z = hn::Mul(s, s);
  return hn::Mul(s, hn::Add(half, hn::Mul(z, polynomial(d, z, Coefficients<double>::log))));
}

/// log u = k log 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
template <class D, class V>
HWY_INLINE V log_of_uniform(D d, V u) {
  using T = hn::TFromD<D>;
  using C = Coefficients<T>;
  const hn::RebindToUnsigned<D> bits;
  const auto shifted = hn::Add(hn::BitCast(bits, u), hn::Set(bits, C::one - C::root_half));
  const auto fraction = hn::And(shifted, hn::Set(bits, (typename C::Bits{1} << C::mantissa) - 1));
  const V m = hn::BitCast(d, hn::Add(fraction, hn::Set(bits, C::root_half)));
  // The exponent becomes a number as the low bits of 2^mantissa.
  const auto exponent = hn::Or(hn::ShiftRight<C::mantissa>(shifted), hn::Set(bits, C::integer));
  const V k = hn::Sub(hn::BitCast(d, exponent),
                      hn::Set(d, static_cast<T>((typename C::Bits{1} << C::mantissa) + C::bias)));
  const V f = hn::Sub(m, hn::Set(d, T(1)));
  const V half = hn::Mul(hn::Set(d, T(0.5)), hn::Mul(f, f));
  const V small = hn::Add(log_rest(d, f, half), hn::Mul(k, hn::Set(d, C::log2_low)));
  return hn::Sub(hn::Mul(k, hn::Set(d, C::log2_high)), hn::Sub(hn::Sub(half, small), f));
}

/// cos 2 pi u and sin 2 pi u: u = q / 4 + r exactly, |r| <= 1/8.
template <class D, class V>
HWY_INLINE void cos_sin_of_turn(D d, V u, V& cosine, V& sine) {
  using T = hn::TFromD<D>;
  using C = Coefficients<T>;
  const hn::RebindToUnsigned<D> bits;
  // Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
  const V magic = hn::Set(d, static_cast<T>(typename C::Bits{3} << (C::mantissa - 1)));
  const V turned = hn::Add(hn::Mul(u, hn::Set(d, T(4))), magic);
  const auto q = hn::BitCast(bits, turned);
  const V r = hn::Sub(u, hn::Mul(hn::Sub(turned, magic), hn::Set(d, T(0.25))));
  const V t = hn::Mul(r, hn::Set(d, static_cast<T>(6.283185307179586476925)));
  const V z = hn::Mul(t, t);
  const V s = hn::Add(t, hn::Mul(hn::Mul(t, z), polynomial(d, z, C::sin)));
  const V c = hn::Add(hn::Sub(hn::Set(d, T(1)), hn::Mul(hn::Set(d, T(0.5)), z)),
                      hn::Mul(hn::Mul(z, z), polynomial(d, z, C::cos)));
  const auto one = hn::Set(bits, typename C::Bits{1}), two = hn::Set(bits, typename C::Bits{2});
  const auto odd = hn::MaskFromVec(hn::BitCast(d, hn::Sub(hn::Zero(bits), hn::And(q, one))));
  constexpr int to_sign = static_cast<int>(8 * sizeof(T)) - 2;
  const auto sign = [&](auto quadrant) {
    return hn::BitCast(d, hn::ShiftLeft<to_sign>(hn::And(quadrant, two)));
  };
  cosine = hn::Xor(hn::IfThenElse(odd, s, c), sign(hn::Add(q, one)));
  sine = hn::Xor(hn::IfThenElse(odd, c, s), sign(q));
}

/// Turns two uniform numbers into two normal ones.
template <class D, class V>
HWY_INLINE void box_muller(D d, V& first, V& second) {
  const V radius = hn::Sqrt(hn::Mul(hn::Set(d, hn::TFromD<D>(-2)), log_of_uniform(d, first)));
  V cosine, sine;
  cos_sin_of_turn(d, second, cosine, sine);
  first = hn::Mul(radius, cosine);
  second = hn::Mul(radius, sine);
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker
HWY_AFTER_NAMESPACE();

#endif
