// Elementwise functions of networks and their derivatives on Highway's vectors of float. Included once per
// target.
#if defined(FOKKER_KERNEL_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_KERNEL_ACTIVATION_INL_H_
#undef FOKKER_KERNEL_ACTIVATION_INL_H_
#else
#define FOKKER_KERNEL_ACTIVATION_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// exp(x) within 2 ulp for x in [-87, 88]; beyond 0 and infinity, and of NaN NaN. Coefficients of Moshier's
/// Cephes for |r| <= log(2)/2. Where x is beyond, whatever the polynomial gives is replaced.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exponential(D d, V x) {
  const hn::RebindToUnsigned<D> bits;
  const V magic = hn::Set(d, 0x1.8p23f);  // adding it rounds to an integer and leaves that in the low bits
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), magic);
  const V k = hn::Sub(shifted, magic);
  V r = hn::NegMulAdd(k, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(k, hn::Set(d, -2.12194440e-4f), r);
  constexpr float coefficients[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                                    5.0000001201e-1f};
  V p = hn::Set(d, 1.9875691500e-4f);
  for (const float c : coefficients) p = hn::MulAdd(p, r, hn::Set(d, c));
  p = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  const V value =
      hn::BitCast(d, hn::Add(hn::BitCast(bits, p), hn::ShiftLeft<23>(hn::BitCast(bits, shifted))));
  const V high = hn::Mul(x, hn::Set(d, HUGE_VALF));  // infinity, or NaN
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.0f)),
                            hn::IfThenElse(hn::Le(x, hn::Set(d, 88.0f)), value, high));
}

/// max(x, 0), and of NaN NaN: Max() takes the other operand there.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V positive_part(D d, V x) {
  return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
}

/// min(x, 0) likewise.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V negative_part(D d, V x) {
  return hn::IfThenZeroElse(hn::Gt(x, hn::Zero(d)), x);
}

/// y, but NaN where x is.
template <class V>
HWY_INLINE V unless_nan(V x, V y) {
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// 1 / y within 2 ulp for y >= 1; of infinity 0, and of NaN NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V reciprocal(D d, V y) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  // 14 bits and a step of Newton's method take a few cycles, a division of 16 lanes sixteen. Infinity times
  // an estimate of 0 is no number.
  const V estimate = hn::ApproximateReciprocal(y);
  const V better = hn::Mul(estimate, hn::NegMulAdd(y, estimate, hn::Set(d, 2.0f)));
  return hn::IfThenZeroElse(hn::Gt(y, hn::Set(d, 1e38f)), better);
#else
  return hn::Div(hn::Set(d, 1.0f), y);
#endif
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  return reciprocal(d, hn::Add(hn::Set(d, 1.0f), exponential(d, hn::Neg(x))));
}

/// The standard normal distribution function within 1e-7, and exp(-x^2/2) on the way: Abramowitz and Stegun
/// 7.1.26.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V normal_distribution(D d, V x, V& bell) {
  const V one = hn::Set(d, 1.0f), z = hn::Mul(hn::Abs(x), hn::Set(d, 0.707106781f));
  bell = exponential(d, hn::Neg(hn::Mul(z, z)));
  const V t = hn::Div(one, hn::MulAdd(z, hn::Set(d, 0.3275911f), one));
  V p = hn::Set(d, 0.5f * 1.061405429f);
  for (const float c : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f})
    p = hn::MulAdd(p, t, hn::Set(d, 0.5f * c));
  const V tail = hn::Mul(hn::Mul(p, t), bell);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
}

// Each function f has its value f(x) and its slope f'(x). Of NaN both are NaN; of infinity what the formula
// gives.
struct Silu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    return hn::Mul(x, sigmoid(d, x));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    const V s = sigmoid(d, x);
    return hn::MulAdd(hn::Mul(x, s), hn::Sub(hn::Set(d, 1.0f), s), s);
  }
};

struct Elu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    const V below = hn::Expm1(d, hn::Max(negative_part(d, x), hn::Set(d, -90.0f)));
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, x);
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    return exponential(d, negative_part(d, x));
  }
};

struct Relu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    return positive_part(d, x);
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    return unless_nan(x, hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, 1.0f)));
  }
};

struct Gelu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    V bell;
    return hn::Mul(x, normal_distribution(d, x, bell));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    V bell;
    const V below = normal_distribution(d, x, bell);
    return hn::MulAdd(hn::Mul(x, hn::Set(d, 0.398942280f)), bell, below);
  }
};

struct Tanh {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    return unless_nan(x, hn::Tanh(d, hn::Min(hn::Max(x, hn::Set(d, -10.0f)), hn::Set(d, 10.0f))));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    // 1 - tanh^2 = 4 s (1 - s) with s = 1 / (1 + exp(2 |x|)): nothing cancels.
    const V s = sigmoid(d, hn::Mul(hn::Abs(x), hn::Set(d, -2.0f)));
    return hn::Mul(hn::Mul(hn::Set(d, 4.0f), s), hn::Sub(hn::Set(d, 1.0f), s));
  }
};

struct Softplus {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    return hn::Add(positive_part(d, x), hn::Log1p(d, exponential(d, hn::Neg(hn::Abs(x)))));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    return sigmoid(d, x);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#endif
