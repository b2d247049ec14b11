#pragma once
#include <optional>

#include "fokker/format/model.h"

namespace fokker {

/// The configuration of the diffusers scheduler that samples an image model as it was trained, or nothing
/// where diffusers has none:
///
///   DDPMScheduler                    a variance preserving chain (else its 1000 steps), of noise
///   ("epsilon"),
///                                    data ("sample") or velocity ("v_prediction")
///   FlowMatchEulerDiscreteScheduler  the flow, of velocity
///   EDMEulerScheduler                a process that only adds noise, of EDM's output (its "epsilon")
///
/// Sub-VP, a score, EDM's output of another process, and noise, data or velocity of a process that only adds
/// noise have none.
std::optional<Json> scheduler_config(const Model& model);

/// Whether DDPMPipeline samples with it: it neither scales its start nor the network's input, as EDM's needs.
bool suits_pipeline(const Json& scheduler_config);

}  // namespace fokker
