#pragma once
#include <torch/csrc/autograd/function.h>

#include <memory>

namespace fokker {

/// A node as libtorch counts who holds it: outside of it until 1.13 (shared_ptr), in it today
/// (intrusive_ptr).
template <typename Node, typename Pointer = decltype(torch::autograd::Edge::function)>
Pointer held_node(std::unique_ptr<Node> node) {
  if constexpr (requires { Pointer::unsafe_steal_from_new(node.get()); })
    return Pointer::unsafe_steal_from_new(node.release());
  else
    return Pointer(node.release(), [](auto* unused) { torch::autograd::deleteNode(unused); });
}

}  // namespace fokker
