#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/data/dataset.h"
#include "fokker/data/normalisation.h"
#include "fokker/denoise/energy.h"

namespace fokker {

// What a training run is about, as a checkpoint keeps it: a resumed run must be about the same.

/// 64 bits of a tensor's numbers, in hexadecimal: enough to tell data sets apart that nobody chose to be
/// alike. Nothing of one that is not there.
std::string content_hash(const Tensor& tensor);

/// Rows, shape, type, and hashes of the content that do not depend on the machine, in their order.
/// `content`: the hashes of the two parts' rows, where a pass over them has told (row_survey.h).
Json data_record(const Split& data, const std::string& content = {});

/// Process, prediction, how the network is fed, its configuration, and the kind of normalisation. (Its
/// numbers follow from the data, to the last bits of one machine's sums.)
Json model_record(const Network& network, const DenoiserSpec& spec, const Normalisation& normalisation);

/// "process.sigma_max was 50.0 and is now 10.0" for each member that differs; where members named "type",
/// "_class_name" or "name" do, the rest of their object is left out.
std::vector<std::string> differences(const Json& before, const Json& now);

}  // namespace fokker
