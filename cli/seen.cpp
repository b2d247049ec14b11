#include "cli/seen.h"

#include "cli/measured.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/file_rows.h"

namespace fokker::cli {
namespace {

NoiseLaw parse_counts(const std::string& text, bool images) {
  const size_t colon = text.find(':');
  double gain = 1;
  const bool bare = colon != std::string::npos &&
                    parse_number(std::string_view(text).substr(colon + 1), gain) == NumberError::none;
  Spec spec("noise", bare ? text.substr(0, colon) : text);
  if (spec.name() != "poisson") spec.unknown_name({"S (a number)", "poisson"});
  NoiseLaw law{.counts = true};
  law.gain = bare ? gain : spec.number("gain", 1);
  law.offset = spec.number("offset", images ? 1 : 0);
  spec.finish();
  check(law.gain > 0, "noise: expected gain > 0 but received {}", law.gain);
  return law;
}

std::shared_ptr<const Measurement> in_model_space(const ModelOperator& model, const Tensor& y,
                                                  const NoiseLaw& noise) {
  if (!noise.counts)
    return std::make_shared<LinearMeasurement>(model.on_model, y - model.offset, noise.deviation);
  return std::make_shared<PoissonMeasurement>(
      model.on_model, y,
      PoissonMeasurement::Options{.gain = noise.gain, .offset = noise.offset, .shift = model.offset});
}

}  // namespace

NoiseLaw NoiseLaw::parse(const std::string& text, bool images) {
  double deviation = 0;
  const NumberError error = parse_number(text, deviation);
  if (error == NumberError::text) return parse_counts(text, images);
  check(error == NumberError::none && deviation >= 0,
        "noise: expected noise >= 0, or poisson:GAIN, but received '{}'", text);
  return {.deviation = deviation};
}

Json NoiseLaw::to_json() const {
  if (!counts) return deviation;
  return {{"law", "poisson"}, {"gain", gain}, {"offset", offset}};
}

std::string NoiseLaw::text() const {
  return counts ? "of counts, in their deviations: about 1" : fmt::format("noise {:.6g}", deviation);
}

double Seen::residual(const Tensor& x) const {
  const Tensor image = in_user_units->apply(x.flatten(0, 1).to(at::kDouble)),
               each = y.repeat_interleave(x.size(1), 0);
  if (!noise.counts) return (image - each).square().mean().sqrt().item<double>();
  const Tensor rate = (image + noise.offset) * noise.gain;
  return ((rate - each) / each.clamp_min(1).sqrt()).square().mean().sqrt().item<double>();
}

Tensor Seen::by_itself() const {
  return in_user_units->pseudo_inverse(noise.counts ? y / noise.gain - noise.offset : y);
}

Seen read_measurement(const std::string& file, const std::string& operation, const NoiseLaw& noise,
                      const DenoiserSource& source) {
  const auto user = make_operator(operation, {.event = source.event, .columns = source.columns});
  const ModelOperator model = in_model_units(user, source.normalisation);
  const Tensor y =
      load_measured(file, *user, source.reading, noise.counts ? Levels::as_they_are : Levels::of_images);
  return name_rows_of(file, [&] {
    try {
      return Seen{user, noise, y, in_model_space(model, y, noise)};
    } catch (const RowError& error) {
      throw RowError(ErrorKind::input, error.row(), error.reason());
    }
  });
}

}  // namespace fokker::cli
