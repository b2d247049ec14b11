#pragma once
#include "fokker/core/device.h"
#include "fokker/format/model.h"

namespace fokker {

/// Argument error unless `guide` can guide `model`: the same shape of a row, columns, schema or normalisation
/// and process, and where `labelled` the same labels and conditions. It names what differs; `name` is the
/// guide's.
void check_guide(const Model& model, const Model& guide, bool labelled, const std::string& name = "guide");

/// The denoiser of a guide beside that of a model: where `precision` is not automatic, of a copy of its
/// network in it. Argument error where the two compute in other types.
std::shared_ptr<const Denoiser> guide_of(const Model& model, const Model& guide, Precision precision);

}  // namespace fokker
