// Loops along contiguous numbers: whole vectors, then the part of one that is left. Included once per target.
#if defined(FOKKER_KERNEL_VECTOR_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_KERNEL_VECTOR_LOOPS_INL_H_
#undef FOKKER_KERNEL_VECTOR_LOOPS_INL_H_
#else
#define FOKKER_KERNEL_VECTOR_LOOPS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2

/// The first `count` lanes from memory, the others 0.
template <class D>
HWY_INLINE hn::Vec<D> load_part(D d, const hn::TFromD<D>* from, int64_t count) {
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
}

/// Writes the first `count` lanes.
template <class D>
HWY_INLINE void store_part(hn::Vec<D> v, D d, int64_t count, hn::TFromD<D>* to) {
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, to);
}

#else  // masked operations take aligned memory there, and touch what lies behind the mask

template <class D>
HWY_INLINE hn::Vec<D> load_part(D d, const hn::TFromD<D>* from, int64_t count) {
  HWY_ALIGN hn::TFromD<D> whole[hn::MaxLanes(d)] = {};
  std::copy_n(from, std::min<int64_t>(count, hn::MaxLanes(d)), whole);
  return hn::Load(d, whole);
}

template <class D>
HWY_INLINE void store_part(hn::Vec<D> v, D d, int64_t count, hn::TFromD<D>* to) {
  HWY_ALIGN hn::TFromD<D> whole[hn::MaxLanes(d)];
  hn::Store(v, d, whole);
  std::copy_n(whole, std::min<int64_t>(count, hn::MaxLanes(d)), to);
}

#endif

/// How a loop's body reads and writes a vector: all of it, or its first `count` lanes.
struct WholeVector {
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    return hn::LoadU(d, from);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* to) const {
    hn::StoreU(v, d, to);
  }
};
struct PartOfVector {
  int64_t count;
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    return load_part(d, from, count);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* to) const {
    store_part(v, d, count, to);
  }
};

/// body(std::integral_constant n, access, k): n vectors of the numbers from k on, n = N as long as there are
/// so many and 1 after that; all numbers [0, count) in order.
template <size_t N, class D, class Body>
HWY_INLINE void for_vector_groups(D d, int64_t count, const Body& body) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t k = 0;
  if constexpr (N > 1)
    for (; k + static_cast<int64_t>(N) * lanes <= count; k += static_cast<int64_t>(N) * lanes)
      body(std::integral_constant<size_t, N>(), WholeVector(), k);
  const std::integral_constant<size_t, 1> one;
  for (; k + lanes <= count; k += lanes) body(one, WholeVector(), k);
  if (k < count) body(one, PartOfVector{count - k}, k);
}

/// body(access, k) for each vector of the numbers [0, count).
template <class D, class Body>
HWY_INLINE void for_vectors(D d, int64_t count, const Body& body) {
  for_vector_groups<1>(d, count, [&](auto, auto access, int64_t k) HWY_ATTR { body(access, k); });
}

template <class D>
using NarrowerTag = hn::CappedTag<hn::TFromD<D>, (hn::MaxLanes(D()) + 1) / 2>;

/// body(tag, k) for vectors that cover the numbers [0, count), as long as so few numbers allow. The last
/// begins earlier rather than ending later, so that it may take up numbers once more.
template <class D = hn::ScalableTag<float>, class Body>
HWY_INLINE void for_overlapping_vectors(int64_t count, const Body& body) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  if constexpr (hn::MaxLanes(D()) > 1)
    if (count < lanes) return for_overlapping_vectors<NarrowerTag<D>>(count, body);
  for (int64_t k = 0; k < count; k += lanes) body(d, std::min(k, count - lanes));
}

/// body(tag, k) for vectors of the numbers [first, count), each once: as many of D as there are, then shorter
/// ones.
template <class D, class Body>
HWY_INLINE void for_shortening_vectors(int64_t first, int64_t count, const Body& body) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (; first + lanes <= count; first += lanes) body(d, first);
  if constexpr (hn::MaxLanes(D()) > 1) for_shortening_vectors<NarrowerTag<D>>(first, count, body);
}

/// A vector of doubles from memory of them, or of floats.
template <class Access, class D>
HWY_INLINE hn::Vec<D> load_doubles(Access access, D d, const double* from) {
  return access.load(d, from);
}
template <class Access, class D>
HWY_INLINE hn::Vec<D> load_doubles(Access access, D d, const float* from) {
  return hn::PromoteTo(d, access.load(hn::Rebind<float, D>(), from));
}

/// sums += terms.
template <typename T>
HWY_INLINE void add_to_doubles(const T* terms, int64_t count, double* sums) {
  const hn::ScalableTag<double> d;
  for_vectors(d, count, [&](auto access, int64_t k) HWY_ATTR {
    access.store(hn::Add(access.load(d, sums + k), load_doubles(access, d, terms + k)), d, sums + k);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#endif
