#include "fokker/core/check.h"
#include "fokker/sample/chain/langevin.h"
#include "fokker/sample/samplers.h"

namespace fokker {
namespace {

using KernelRegistry = Registry<KernelChoice, double>;
using MakeKernel = std::function<std::unique_ptr<MarkovKernel>(Spec&, double step_size)>;

/// A kernel with the parameter that all of them have.
KernelRegistry::Make with_time(MakeKernel make) {
  if (!make) return {};
  return [make = std::move(make)](Spec& spec, double step_size) {
    KernelChoice choice{make(spec, step_size), spec.number("time", -1.0)};
    check(choice.time <= 1, "{}: expected a time in [0, 1] but received {}", spec.name(), choice.time);
    return choice;
  };
}

/// What was given apart from the spec, or the spec's, or the usual.
double step_of(Spec& spec, double step_size, double usual) {
  const double given = spec.number("step", usual);
  return step_size > 0 ? step_size : given;
}

KernelRegistry& kernels() {
  static KernelRegistry registry(
      "sampler",
      {{"ula", "unadjusted Langevin", with_time([](Spec& spec, double step_size) {
          return std::make_unique<Ula>(step_of(spec, step_size, 0.05));
        })},
       {"mala", "Langevin with proposals that may be refused: exact",
        with_time([](Spec& spec, double step_size) {
          return std::make_unique<Mala>(step_of(spec, step_size, 0.5));
        })},
       {"underdamped-langevin", "Langevin with momentum (BAOAB)", with_time([](Spec& spec, double step_size) {
          return std::make_unique<UnderdampedLangevin>(UnderdampedLangevin::Options{
              .step = step_of(spec, step_size, 0.2), .friction = spec.number("friction", 1.0)});
        })}});
  return registry;
}

}  // namespace

KernelChoice make_kernel(std::string_view spec, double step_size) {
  return kernels().make(spec, step_size);
}

std::vector<std::string> chain_names() {
  return kernels().names();
}

std::vector<Description> chain_descriptions() {
  return kernels().descriptions(0.0);
}

bool is_chain(std::string_view spec) {
  return kernels().contains(spec.substr(0, spec.find(':')));
}

void register_kernel(const std::string& name, MakeKernel make, const std::string& summary) {
  detail::check_entry("sampler", name, static_cast<bool>(make), is_sampler(name));
  kernels().add({name, summary, with_time(std::move(make))});
}

}  // namespace fokker
