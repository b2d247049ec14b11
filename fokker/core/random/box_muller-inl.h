// Logarithm, sine and cosine on Highway's vectors, as Box-Muller needs them. Included once per target.
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

/// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for x > 0.
template <class D, class V>
HWY_INLINE void split(D d, V x, V& k, V& f) {
  using T = hn::TFromD<D>;
  using Word = hwy::MakeUnsigned<T>;
  const hn::RebindToUnsigned<D> bits;
  constexpr bool single = sizeof(T) == 4;
  constexpr int mantissa = single ? 23 : 52;
  constexpr auto one = static_cast<Word>(single ? 0x3f800000 : 0x3ff0000000000000),
                 root_half = static_cast<Word>(single ? 0x3f3504f3 : 0x3fe6a09e667f3bcd);
  const auto shifted = hn::Add(hn::BitCast(bits, x), hn::Set(bits, static_cast<Word>(one - root_half)));
  const auto fraction = hn::And(shifted, hn::Set(bits, (Word{1} << mantissa) - 1));
  f = hn::Sub(hn::BitCast(d, hn::Add(fraction, hn::Set(bits, root_half))), hn::Set(d, T(1)));
  // The exponent becomes a number as the low bits of 2^mantissa.
  const T integer = static_cast<T>(Word{1} << mantissa);
  const auto exponent = hn::Or(hn::ShiftRight<mantissa>(shifted), hn::BitCast(bits, hn::Set(d, integer)));
  k = hn::Sub(hn::BitCast(d, exponent), hn::Set(d, integer + (single ? 127 : 1023)));
}

/// sqrt(-2 log(x / 2^31)) for 1/2 <= x <= 2^31. log(1 + f) = f - f^2/2 + f^3 P(f), off by 3e-8 of itself.
template <class D, class V>
HWY_INLINE V radius_of(D d, V x) {
  constexpr float rest[] = {-0.1740088164806366f, 0.28534984588623047f, -0.29829537868499756f,
                            0.3315516710281372f,  -0.3992612659931183f, 0.5000267624855042f,
                            -0.6666781902313232f};  // -2 P
  V k, f;
  split(d, x, k, f);
  const V square = hn::Mul(f, f);
  const V small = hn::Add(hn::Mul(hn::Mul(square, f), polynomial(d, f, rest)), square);
  const V whole = hn::Mul(hn::Sub(hn::Set(d, 31.0f), k), hn::Set(d, 1.3862943611198906f));
  return hn::Sqrt(hn::Add(whole, hn::Sub(small, hn::Add(f, f))));
}

/// Two normal numbers from 32 random bits each: radius sqrt(-2 log((floor(w1 / 2) + 1/2) / 2^31)), angle w2 /
/// 2^32 of a turn.
template <class D, class Words, class V>
HWY_INLINE void box_muller(D d, Words w1, Words w2, V& first, V& second) {
  const hn::RebindToUnsigned<D> bits;
  const hn::RebindToSigned<D> integers;
  const auto number = [&](Words w) HWY_ATTR { return hn::ConvertTo(d, hn::BitCast(integers, w)); };
  const V radius = radius_of(d, hn::Add(number(hn::ShiftRight<1>(w1)), hn::Set(d, 0.5f)));
  // The angle is q quarters of a turn, and the rest as a signed fraction of a quarter: 2^-34 of a turn.
  const V t = hn::Mul(number(hn::ShiftLeft<2>(w2)), hn::Set(d, 3.657295198167899e-10f)), z = hn::Mul(t, t);
  const auto q = hn::Add(w2, hn::Set(bits, uint32_t{1} << 29));  // in its two highest bits
  // |t| <= pi/4: sine within 4e-9, cosine within 3e-8.
  constexpr float sine[] = {-1.951524754986167e-4f, 8.33216030150652e-3f, -0.16666655242443085f};
  constexpr float cosine[] = {-1.359779154881835e-3f, 4.165629297494888e-2f, -0.49999895691871643f};
  const V s = hn::Mul(radius, hn::Add(t, hn::Mul(hn::Mul(t, z), polynomial(d, z, sine))));
  const V c = hn::Mul(radius, hn::Add(hn::Set(d, 1.0f), hn::Mul(z, polynomial(d, z, cosine))));
  const auto odd =
      hn::MaskFromVec(hn::BitCast(d, hn::ShiftRight<31>(hn::BitCast(integers, hn::ShiftLeft<1>(q)))));
  const auto sign = [&](Words quarters) HWY_ATTR {
    return hn::BitCast(d, hn::And(quarters, hn::Set(bits, uint32_t{1} << 31)));
  };
  first = hn::Xor(hn::IfThenElse(odd, s, c), sign(hn::Add(q, hn::Set(bits, uint32_t{1} << 30))));
  second = hn::Xor(hn::IfThenElse(odd, c, s), sign(q));
}

// In double with the coefficients of Sun's fdlibm: log(1 + f) = f - f^2/2 + s (f^2/2 + s^2 P(s^2)) with s = f
// / (2 + f), sine and cosine on [-pi/4, pi/4].

/// log u for u in (0, 1).
template <class D, class V>
HWY_INLINE V log_of_uniform(D d, V u) {
  constexpr double rest[] = {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                             2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                             6.666666666666735130e-01};
  V k, f;
  split(d, u, k, f);
  const V half = hn::Mul(hn::Set(d, 0.5), hn::Mul(f, f));
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2.0))), z = hn::Mul(s, s);
  const V more = hn::Mul(s, hn::Add(half, hn::Mul(z, polynomial(d, z, rest))));
  const V small = hn::Add(more, hn::Mul(k, hn::Set(d, 1.90821492927058770002e-10)));
  return hn::Sub(hn::Mul(k, hn::Set(d, 6.93147180369123816490e-01)), hn::Sub(hn::Sub(half, small), f));
}

/// cos 2 pi u and sin 2 pi u: u = q / 4 + r exactly, |r| <= 1/8.
template <class D, class V>
HWY_INLINE void cos_sin_of_turn(D d, V u, V& cosine, V& sine) {
  constexpr double sine_rest[] = {1.58969099521155010221e-10, -2.50507602534068634195e-08,
                                  2.75573137070700676789e-06, -1.98412698298579493134e-04,
                                  8.33333333332248946124e-03, -1.66666666666666324348e-01};
  constexpr double cosine_rest[] = {-1.13596475577881948265e-11, 2.08757232129817482790e-09,
                                    -2.75573143513906633035e-07, 2.48015872894767294178e-05,
                                    -1.38888888888741095749e-03, 4.16666666666666019037e-02};
  const hn::RebindToUnsigned<D> bits;
  const V magic = hn::Set(d, 0x1.8p52);  // adding it rounds to an integer and leaves that in the low bits
  const V turned = hn::Add(hn::Mul(u, hn::Set(d, 4.0)), magic);
  const auto q = hn::BitCast(bits, turned);
  const V r = hn::Sub(u, hn::Mul(hn::Sub(turned, magic), hn::Set(d, 0.25)));
  const V t = hn::Mul(r, hn::Set(d, 6.283185307179586476925));
  const V z = hn::Mul(t, t);
  const V s = hn::Add(t, hn::Mul(hn::Mul(t, z), polynomial(d, z, sine_rest)));
  const V c = hn::Add(hn::Sub(hn::Set(d, 1.0), hn::Mul(hn::Set(d, 0.5), z)),
                      hn::Mul(hn::Mul(z, z), polynomial(d, z, cosine_rest)));
  const auto one = hn::Set(bits, uint64_t{1}), two = hn::Set(bits, uint64_t{2});
  const auto odd = hn::MaskFromVec(hn::BitCast(d, hn::Sub(hn::Zero(bits), hn::And(q, one))));
  const auto sign = [&](auto quadrant)
                        HWY_ATTR { return hn::BitCast(d, hn::ShiftLeft<62>(hn::And(quadrant, two))); };
  cosine = hn::Xor(hn::IfThenElse(odd, s, c), sign(hn::Add(q, one)));
  sine = hn::Xor(hn::IfThenElse(odd, c, s), sign(q));
}

/// Turns two uniform numbers into two normal ones.
template <class D, class V>
HWY_INLINE void box_muller(D d, V& first, V& second) {
  const V radius = hn::Sqrt(hn::Mul(hn::Set(d, -2.0), log_of_uniform(d, first)));
  V cosine, sine;
  cos_sin_of_turn(d, second, cosine, sine);
  first = hn::Mul(radius, cosine);
  second = hn::Mul(radius, sine);
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker
HWY_AFTER_NAMESPACE();

#endif
