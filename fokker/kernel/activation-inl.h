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

HWY_BEFORE_NAMESPACE();
namespace fokker {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// exp(x) within 2 ulp for x in [-87, 88]; beyond, its value at the nearer end. Coefficients of Moshier's
/// Cephes for |r| <= log(2)/2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exponential(D d, V x) {
  const hn::RebindToUnsigned<D> bits;
  const V magic = hn::Set(d, 0x1.8p23f);  // adding it rounds to an integer and leaves that in the low bits
  x = hn::Min(hn::Max(x, hn::Set(d, -87.0f)), hn::Set(d, 88.0f));
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), magic);
  const V k = hn::Sub(shifted, magic);
  V r = hn::NegMulAdd(k, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(k, hn::Set(d, -2.12194440e-4f), r);
  constexpr float coefficients[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                                    5.0000001201e-1f};
  V p = hn::Set(d, 1.9875691500e-4f);
  for (const float c : coefficients) p = hn::MulAdd(p, r, hn::Set(d, c));
  p = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  return hn::BitCast(d, hn::Add(hn::BitCast(bits, p), hn::ShiftLeft<23>(hn::BitCast(bits, shifted))));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exponential(d, hn::Neg(x))));
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

// Each function f has its value f(x) and its slope f'(x).
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
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Expm1(d, hn::Min(x, hn::Zero(d))));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    return exponential(d, hn::Min(x, hn::Zero(d)));
  }
};

struct Relu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V value(D d, V x) {
    return hn::Max(x, hn::Zero(d));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, 1.0f));
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
    return hn::Tanh(d, hn::Min(hn::Max(x, hn::Set(d, -10.0f)), hn::Set(d, 10.0f)));
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
    return hn::Add(hn::Max(x, hn::Zero(d)), hn::Log1p(d, exponential(d, hn::Neg(hn::Abs(x)))));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V slope(D d, V x) {
    return sigmoid(d, x);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace fokker
HWY_AFTER_NAMESPACE();

#endif
