// The first numbers of a vector in memory, wherever they lie. Included once per target.
#if defined(FOKKER_KERNEL_PART_OF_VECTOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_KERNEL_PART_OF_VECTOR_INL_H_
#undef FOKKER_KERNEL_PART_OF_VECTOR_INL_H_
#else
#define FOKKER_KERNEL_PART_OF_VECTOR_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

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

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#endif
