#include "device/pretend_device.h"

#include <ATen/InferSize.h>
#include <ATen/TensorUtils.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <torch/library.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

#include "fokker/core/check.h"
#include "support.h"

namespace fokker::testing {
namespace {

// Of the kinds that libtorch knows and Debian's does not have: a tensor of it may take the place of the
// processor's.
const at::Device pretend(c10::DeviceType::XPU, 0);

/// Memory mapped twice: where the device's pointers point, out of reach, and where its operations find it.
class Memory {
 public:
  c10::DataPtr allocate(size_t bytes) {
    const size_t size = std::max<size_t>(bytes, 1);
    const int file = ::memfd_create("pretend device", 0);
    check(file >= 0 && ::ftruncate(file, static_cast<off_t>(size)) == 0, "pretend device: out of memory");
    const auto map = [&](int access) {
      return static_cast<char*>(::mmap(nullptr, size, access, MAP_SHARED, file, 0));
    };
    char *there = map(PROT_NONE), *here = map(PROT_READ | PROT_WRITE);
    ::close(file);
    check(there != MAP_FAILED && here != MAP_FAILED, "pretend device: out of memory");
    const std::lock_guard lock(mutex_);
    blocks_[there] = {here, size};
    return {there, there, &release, pretend};
  }

  char* here(const void* there) {
    const std::lock_guard lock(mutex_);
    const auto block = std::prev(blocks_.upper_bound(static_cast<const char*>(there)));
    return block->second.here + (static_cast<const char*>(there) - block->first);
  }

 private:
  struct Block {
    char* here;
    size_t size;
  };
  static void release(void* pointer);
  std::mutex mutex_;
  std::map<const char*, Block> blocks_;
};

Memory& memory() {
  static Memory& all = *new Memory;  // outlives every tensor
  return all;
}

void Memory::release(void* pointer) {
  const std::lock_guard lock(memory().mutex_);
  const auto block = memory().blocks_.find(static_cast<char*>(pointer));
  ::munmap(pointer, block->second.size);
  ::munmap(block->second.here, block->second.size);
  memory().blocks_.erase(block);
}

Tensor tensor_over(c10::Storage storage, at::ScalarType type, IntArrayRef sizes, IntArrayRef strides,
                   int64_t offset) {
  Tensor result = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::XPU), c10::scalarTypeToTypeMeta(type));
  result.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides, offset);
  return result;
}

Tensor empty_strided(IntArrayRef sizes, IntArrayRef strides, c10::optional<at::ScalarType> type,
                     c10::optional<at::Layout>, c10::optional<at::Device>, c10::optional<bool>) {
  const auto scalar = type.value_or(at::kFloat);
  const size_t bytes = at::detail::computeStorageNbytes(sizes, strides, c10::elementSize(scalar));
  return tensor_over(c10::Storage(c10::Storage::use_byte_size_t(), bytes, memory().allocate(bytes)), scalar,
                     sizes, strides, 0);
}

Tensor empty(IntArrayRef sizes, c10::optional<at::ScalarType> type, c10::optional<at::Layout>,
             c10::optional<at::Device>, c10::optional<bool>, c10::optional<at::MemoryFormat> format) {
  const std::vector<int64_t> strides = format == at::MemoryFormat::ChannelsLast
                                           ? c10::get_channels_last_strides_2d(sizes)
                                           : at::empty(sizes, at::device(at::kMeta)).strides().vec();
  return empty_strided(sizes, strides, type, {}, {}, {});
}

/// The device's tensor as one of the processor's, over the same memory.
Tensor here(const Tensor& there) {
  if (!there.defined() || there.device() != pretend) return there;
  void* data = there.numel() ? memory().here(there.data_ptr()) : nullptr;
  return at::from_blob(data, there.sizes(), there.strides(), at::TensorOptions(there.dtype()));
}

Tensor there(const Tensor& here) {
  if (!here.defined() || here.device() == pretend) return here;
  Tensor result = empty_strided(here.sizes(), here.strides(), here.scalar_type(), {}, {}, {});
  fokker::testing::here(result).copy_(here);
  return result;
}

Tensor& copy(Tensor& self, const Tensor& source, bool) {
  here(self).copy_(here(source));
  return self;
}
Tensor copy_from(const Tensor& self, const Tensor& to, bool) {
  here(to).copy_(here(self));
  return to;
}

Tensor strided(const Tensor& self, IntArrayRef sizes, IntArrayRef strides, c10::optional<int64_t> offset) {
  return tensor_over(self.storage(), self.scalar_type(), sizes, strides,
                     offset.value_or(self.storage_offset()));
}
Tensor reshape_alias(const Tensor& self, IntArrayRef sizes, IntArrayRef strides) {
  return strided(self, sizes, strides, {});
}
Tensor view(const Tensor& self, IntArrayRef sizes) {
  const at::DimVector shape = at::infer_size_dv(sizes, self.numel());
  const auto strides = at::detail::computeStride(self.sizes(), self.strides(), shape);
  check(strides.has_value(), "view: a tensor of shape {} does not allow it", shape_string(self));
  return strided(self, shape, *strides, {});
}
at::Scalar local_scalar(const Tensor& self) {
  return at::_local_scalar_dense(here(self));
}

Tensor convolution(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias,
                   IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation, bool transposed,
                   IntArrayRef output_padding, int64_t groups) {
  return there(at::convolution(here(x), here(weight), bias ? here(*bias) : Tensor(), stride, padding,
                               dilation, transposed, output_padding, groups));
}
std::tuple<Tensor, Tensor, Tensor> convolution_backward(const Tensor& dy, const Tensor& x,
                                                        const Tensor& weight, IntArrayRef stride,
                                                        IntArrayRef padding, IntArrayRef dilation,
                                                        bool transposed, IntArrayRef output_padding,
                                                        int64_t groups, std::array<bool, 3> wanted) {
  const auto [dx, dw, db] =
      at::convolution_backward(here(dy), here(x), here(weight), at::OptionalIntArrayRef(weight.size(0)),
                               stride, padding, dilation, transposed, output_padding, groups, wanted);
  return {there(dx), there(dw), there(db)};
}

/// Refuses what a CUDA device refuses: the processor's tensors beside its own, but for single numbers.
void check_one_device(const std::string& name, const std::vector<c10::IValue>& given) {
  const std::set<std::string> strict = {"aten::where", "aten::index_select", "aten::gather", "aten::cat"};
  const auto one = [&](const Tensor& t) {
    check(!t.defined() || t.device() == pretend || (t.dim() == 0 && !strict.contains(name)),
          "{}: expected tensors of one device but received one of the processor, {}", name, shape_string(t));
  };
  bool any = false;
  const auto each = [&](const auto& visit) {
    for (const auto& value : given) {
      if (value.isTensor()) visit(value.toTensor());
      if (value.isTensorList())
        for (const Tensor& t : value.toTensorVector()) visit(t);
    }
  };
  each([&](const Tensor& t) { any = any || (t.defined() && t.device() == pretend); });
  if (any) each(one);
}

c10::IValue value_here(const c10::IValue& value) {
  if (value.isTensor()) return here(value.toTensor());
  if (value.isDevice()) return at::Device(at::kCPU);
  if (value.isTensorList()) {
    c10::List<Tensor> list;
    for (const Tensor& t : value.toTensorVector()) list.push_back(here(t));
    return list;
  }
  if (value.isList() && !value.toListRef().empty()) {  // of optional tensors, as index has
    c10::List<c10::optional<Tensor>> list;
    for (const c10::IValue& t : value.toListRef()) {
      if (!t.isTensor() && !t.isNone()) return value;
      list.push_back(t.isNone() ? c10::optional<Tensor>() : here(t.toTensor()));
    }
    return list;
  }
  return value;
}

/// Gives a tensor the content of another, as an operation does that sets the size of its result.
void become(const Tensor& self, const Tensor& other) {
  self.unsafeGetTensorImpl()->set_storage_keep_dtype(other.storage());
  self.unsafeGetTensorImpl()->set_sizes_and_strides(other.sizes(), other.strides(), other.storage_offset());
}

/// Every other operation: the processor's, on the same memory.
void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const size_t count = schema.arguments().size();
  const std::vector<c10::IValue> given(stack->end() - static_cast<std::ptrdiff_t>(count), stack->end());
  check_one_device(schema.name(), given);
  const auto is_empty_result = [&](size_t i) {
    const auto* alias = schema.arguments()[i].alias_info();
    return alias != nullptr && alias->isWrite() && given[i].isTensor() && given[i].toTensor().numel() == 0;
  };
  for (size_t i = 0; i < count; ++i)
    (*stack)[stack->size() - count + i] = is_empty_result(i)
                                              ? c10::IValue(at::empty({0}, given[i].toTensor().scalar_type()))
                                              : value_here(given[i]);
  op.callBoxed(stack);
  const size_t results = schema.returns().size();
  for (size_t i = 0; i < results; ++i) {
    c10::IValue& result = (*stack)[stack->size() - results + i];
    const auto* alias = schema.returns()[i].alias_info();
    check(alias == nullptr || alias->isWrite(), "pretend device: {} is a view of its argument",
          schema.name());
    for (size_t j = 0; alias != nullptr && j < count; ++j) {
      const auto* of_argument = schema.arguments()[j].alias_info();
      if (of_argument == nullptr || *of_argument != *alias) continue;
      if (is_empty_result(j)) become(given[j].toTensor(), there(result.toTensor()));
      result = given[j];
    }
    if (result.isTensor()) result = there(result.toTensor());
  }
}

class Guard final : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return pretend.type(); }
  c10::Device exchangeDevice(c10::Device) const override { return pretend; }
  c10::Device getDevice() const override { return pretend; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, pretend);
  }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};
C10_REGISTER_GUARD_IMPL(XPU, Guard);

TORCH_LIBRARY_IMPL(_, XPU, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>());
}
TORCH_LIBRARY_IMPL(aten, XPU, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("copy_", &copy);
  m.impl("_copy_from", &copy_from);
  m.impl("as_strided", &strided);
  m.impl("_reshape_alias", &reshape_alias);
  m.impl("view", &view);
  m.impl("_local_scalar_dense", &local_scalar);
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_backward);
}

TEST(PretendDevice, ComputesAndDiffers) {
  Tensor x = at::arange(6, at::kFloat).reshape({2, 3}).to(pretend);
  EXPECT_EQ(x.device(), pretend);
  x.t().select(0, 1).mul_(10);
  EXPECT_EQ((x * 2).sum().item<double>(), 2 * (0 + 10 + 2 + 3 + 40 + 5));
  x.requires_grad_();
  const Tensor slope = gradients(x.square().sum(), {x}, false)[0];
  EXPECT_EQ(slope.device(), pretend);
  EXPECT_TRUE(at::equal(slope.cpu(), 2 * x.detach().cpu()));
}

TEST(PretendDevice, RefusesTheProcessorsTensors) {
  const Tensor x = at::ones({3}).to(pretend);
  EXPECT_ANY_THROW(x + at::ones({3}));
  EXPECT_ANY_THROW(x.index_select(0, at::arange(2)));
  EXPECT_EQ((x + at::ones({})).sum().item<double>(), 6);
}

TEST(PretendDeviceDeathTest, KeepsItsMemoryOutOfReach) {
  const Tensor x = at::ones({3}).to(pretend);
  EXPECT_DEATH(std::printf("%f", x.data_ptr<float>()[0]), "");
}

}  // namespace

at::Device accelerator() {
  const char* wanted = std::getenv("FOKKER_TEST_DEVICE");
  if (wanted == nullptr || std::string(wanted) == "pretend") return pretend;
  check(std::string(wanted) == "cuda" && at::hasCUDA(),
        "FOKKER_TEST_DEVICE: expected pretend, or cuda where there is one, but received {}", wanted);
  return {at::kCUDA, 0};
}

double tolerance_there() {
  return accelerator().is_cuda() ? 1e-3 : 1e-5;
}

}  // namespace fokker::testing
