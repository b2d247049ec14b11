#pragma once
#include "fokker/core/text/json_reader.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {

/// diffusers' UNet2DConditionModel where its configuration says nothing.
UNetOptions condition_model_defaults();

/// Reads of its config.json what UNet2DModel's does not have, after the rest. Input error, naming the key,
/// for what is not there here: more than one token, texts, embeddings of more than a class or a vector.
void read_condition_model(const detail::JsonReader& reader, UNetOptions& options);

/// As a config.json, beside what is written of both.
void write_condition_model(const UNetOptions& options, Json& config);

}  // namespace fokker
