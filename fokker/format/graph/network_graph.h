#pragma once
#include "fokker/format/graph/graph.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {

/// What a network is given in a graph, by name; `label` (n) int64, or the condition's (n, k + 1)
/// (condition_inputs), or "" where it has none.
struct NetworkInputs {
  GraphBuilder::Name x, time, label;
};

/// Adds what Network::forward computes; returns the name of the result. Argument error for a network that is
/// neither an Mlp nor a UNet, or an energy.
GraphBuilder::Name add_network(GraphBuilder& graph, const Network& network, const NetworkInputs& inputs);

GraphBuilder::Name add_mlp(GraphBuilder& graph, const Mlp& network, const NetworkInputs& inputs);
GraphBuilder::Name add_unet(GraphBuilder& graph, const UNet& network, const NetworkInputs& inputs);

/// Cosines and sines of time (n): frequencies (size / 2) -> (n, size), an odd size with a zero at its end.
GraphBuilder::Name add_sinusoids(GraphBuilder& graph, const GraphBuilder::Name& time,
                                 const Tensor& frequencies, int64_t size, bool cosines_first);

}  // namespace fokker
