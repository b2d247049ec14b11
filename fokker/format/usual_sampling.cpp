#include "fokker/format/usual_sampling.h"

#include "fokker/core/text/json_reader.h"

namespace fokker {

Json UsualSampling::to_json() const {
  Json json = {{"sampler", sampler}, {"grid", grid}};
  if (clip) json["clip"] = *clip;
  return json;
}

UsualSampling UsualSampling::from_json(const Json& json, const std::string& place) {
  const detail::JsonReader reader(json, place);
  check_input(json.is_object(), "{}: expected an object", place);
  UsualSampling usual;
  reader.read("sampler", usual.sampler);
  reader.read("grid", usual.grid);
  if (json.contains("clip")) usual.clip = reader.get<double>("clip");
  return usual;
}

}  // namespace fokker
