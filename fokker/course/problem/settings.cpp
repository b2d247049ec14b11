#include "fokker/course/problem/settings.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/spec_registry.h"
#include "fokker/core/text/text.h"
#include "fokker/data/load.h"
#include "fokker/process/beta_file.h"
#include "fokker/process/schedule.h"
#include "fokker/target/toys.h"

namespace fokker::course {
namespace {

std::string names_of(const std::vector<Setting>& declared) {
  std::vector<std::string> names;
  names.reserve(declared.size());
  for (const Setting& s : declared) names.push_back(s.name);
  return names.empty() ? "none" : join(names);
}

const Setting* find_setting(const std::vector<Setting>& declared, std::string_view name) {
  const auto found =
      std::find_if(declared.begin(), declared.end(), [&](const Setting& s) { return s.name == name; });
  return found == declared.end() ? nullptr : &*found;
}

/// "key=value,key=value" at its commas; a piece that begins with no declared name belongs to the value before
/// it where that is a spec with parameters, "name:key=value".
Changes split_changes(const std::string& owner, const std::vector<Setting>& declared, std::string_view text) {
  Changes changes;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view piece = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t equals = piece.find('=');
    const bool continues = !changes.empty() && changes.back().second.find(':') != std::string::npos &&
                           !find_setting(declared, piece.substr(0, std::min(equals, piece.size())));
    if (continues) {
      changes.back().second += "," + std::string(piece);
      continue;
    }
    check(equals != std::string_view::npos && equals > 0, "{}: expected KEY=VALUE,... but received '{}'",
          owner, shown(piece));
    changes.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
  }
  return changes;
}

/// Every name once.
Changes read_changes(const std::string& owner, const std::vector<Setting>& declared,
                     const std::vector<std::string>& texts) {
  Changes all;
  for (const std::string& text : texts)
    for (const auto& change : split_changes(owner, declared, text)) {
      check(std::none_of(all.begin(), all.end(), [&](const auto& c) { return c.first == change.first; }),
            "{}: {} is given twice", owner, change.first);
      all.push_back(change);
    }
  return all;
}

/// Those of all problems, each name once.
std::vector<Setting> declared_by_any(const std::vector<Owner>& owners) {
  std::vector<Setting> all;
  for (const Owner& owner : owners)
    for (const Setting& setting : *owner.declared)
      if (!find_setting(all, setting.name)) all.push_back(setting);
  return all;
}

/// Why a problem cannot use a change; empty where it can. Input errors are the reader's to mend.
std::string refusal_of(const Owner& owner, const std::pair<std::string, std::string>& change) {
  const Setting* setting = find_setting(*owner.declared, change.first);
  if (!setting) return "it has no such setting";
  try {
    setting->parse(owner.name + ": " + change.first, change.second);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::argument) throw;
    return error.what();
  }
  return {};
}

void check_component(const std::string& place, const GaussianMixture& law, int64_t k,
                     const LawLimits& limits) {
  const Tensor variances = at::linalg_eigvalsh(law.component_covariance(k));
  const double least = std::sqrt(std::max(0.0, variances.min().item<double>())),
               most = std::sqrt(std::max(0.0, variances.max().item<double>()));
  const bool point = limits.points && most == 0;
  check(point || (least >= limits.least_deviation && most <= limits.most_deviation),
        "{}: component {}: expected standard deviations from {:g} to {:g}{} but received {:g} to {:g}", place,
        k + 1, limits.least_deviation, limits.most_deviation, limits.points ? ", or a point," : "", least,
        most);
  const double distance = law.means()[k].norm().item<double>();
  check(distance <= limits.reach,
        "{}: component {}: expected a mean within {:g} of the origin but received {:g}", place, k + 1,
        limits.reach, distance);
}

Laws parse_law(const std::string& place, const std::string& text, const LawLimits& limits) {
  const auto target = make_target(text, [](const std::string& path) { return load_data(path).values; });
  const GaussianMixture* law = as_gaussian_mixture(*target);
  check(law != nullptr, "{}: expected a Gaussian mixture (a built-in one, a JSON file) but received '{}'",
        place, text);
  const int64_t d = law->dimension();
  check(d >= limits.least_dimension && d <= limits.most_dimension,
        "{}: expected a law in {} dimensions but '{}' has {}", place,
        limits.least_dimension == limits.most_dimension
            ? std::to_string(limits.least_dimension)
            : fmt::format("{} to {}", limits.least_dimension, limits.most_dimension),
        text, d);
  check(law->components() <= limits.most_components, "{}: expected at most {} components but '{}' has {}",
        place, limits.most_components, text, law->components());
  for (int64_t k = 0; k < law->components(); ++k) check_component(place, *law, k, limits);
  return {*law};
}

const Registry<Betas>& beta_tables() {
  static const Registry<Betas> tables(
      "table", {{"linear", "evenly spaced betas",
                 [](Spec& s) {
                   return BetaTable::linear(s.integer("steps", 100, 1), s.number("first", 1e-3),
                                            s.number("last", 0.12))
                       .beta;
                 }},
                {"constant", "equal betas", [](Spec& s) {
                   return Betas(static_cast<size_t>(s.integer("steps", 200, 1)), s.number("beta", 0.04));
                 }}});
  return tables;
}

Betas parse_betas(const std::string& place, const std::string& text, int64_t most_steps) {
  const std::string name = text.substr(0, text.find(':'));
  const Betas betas = beta_tables().contains(name) ? beta_tables().make(text) : read_betas(text);
  const auto steps = static_cast<int64_t>(betas.size());
  check(steps >= 2 && steps <= most_steps, "{}: expected 2 to {} betas but received {}", place, most_steps,
        steps);
  for (const double beta : betas)
    check(beta >= 1e-5 && beta <= 0.95, "{}: expected betas from 1e-5 to 0.95 but received {:g}", place,
          beta);
  return betas;
}

std::string range_text(const LawLimits& limits) {
  const std::string dimensions = limits.least_dimension == limits.most_dimension
                                     ? fmt::format("{}", limits.least_dimension)
                                     : fmt::format("{} to {}", limits.least_dimension, limits.most_dimension);
  return fmt::format("a Gaussian mixture in {} dimension{}{}", dimensions,
                     limits.most_dimension == 1 ? "" : "s", limits.points ? ", points allowed" : "");
}

}  // namespace

Setting Setting::real(std::string name, double usual, double least, double most, std::string meaning) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .usual = fmt::format("{:g}", usual),
          .range = fmt::format("{:g} to {:g}", least, most),
          .initial = [usual] { return Value(usual); },
          .parse =
              [least, most](const std::string& place, const std::string& text) {
                const double value = parse_real(place, text);
                check(value >= least && value <= most,
                      "{}: expected a number from {:g} to {:g} but received {:g}", place, least, most, value);
                return Value(value);
              }};
}

Setting Setting::integer(std::string name, int64_t usual, int64_t least, int64_t most, std::string meaning) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .usual = std::to_string(usual),
          .range = fmt::format("{} to {}", least, most),
          .initial = [usual] { return Value(usual); },
          .parse = [least, most](
                       const std::string& place,
                       const std::string& text) { return Value(parse_integer(place, text, least, most)); }};
}

Setting Setting::law(std::function<Laws()> initial, std::string usual, LawLimits limits) {
  return {.name = "target",
          .meaning = "the law of the data",
          .usual = std::move(usual),
          .range = range_text(limits),
          .initial = [initial = std::move(initial)] { return Value(initial()); },
          .parse = [limits](const std::string& place,
                            const std::string& text) { return Value(parse_law(place, text, limits)); }};
}

Setting Setting::betas(std::function<Betas()> initial, std::string usual, int64_t most_steps) {
  return {
      .name = "table",
      .meaning = "beta_1..beta_N of the chain",
      .usual = std::move(usual),
      .range =
          fmt::format("FILE, linear:steps=,first=,last= or constant:steps=,beta=; 2 to {} steps", most_steps),
      .initial = [initial = std::move(initial)] { return Value(initial()); },
      .parse = [most_steps](const std::string& place,
                            const std::string& text) { return Value(parse_betas(place, text, most_steps)); }};
}

std::vector<Share> shares_of(const std::vector<Owner>& owners, const std::vector<std::string>& changes) {
  std::vector<Share> shares(owners.size());
  if (changes.empty()) return shares;
  const std::vector<Setting> any = declared_by_any(owners);
  const std::string who = owners.size() == 1 ? owners.front().name : "set";
  for (const auto& change : read_changes(who, any, changes)) {
    check(find_setting(any, change.first) != nullptr, "{}: unknown setting '{}'; valid: {}", who,
          shown(change.first), names_of(any));
    bool used = false;
    std::string reason;
    for (size_t i = 0; i < owners.size(); ++i) {
      const std::string refusal = refusal_of(owners[i], change);
      if (refusal.empty()) {
        shares[i].taken.push_back(change);
        used = true;
        continue;
      }
      const bool declares = find_setting(*owners[i].declared, change.first) != nullptr;
      if (declares && reason.empty()) reason = refusal;
      shares[i].left.push_back(fmt::format("{} ({})", change.first, refusal));
    }
    check(used, "{}", reason);
  }
  return shares;
}

Settings::Settings(const std::string& owner, const std::vector<Setting>& declared, Changes changes)
    : owner_(owner), changes_(std::move(changes)) {
  for (const auto& [name, value] : changes_)
    check(find_setting(declared, name) != nullptr, "{}: unknown setting '{}'; valid: {}", owner, shown(name),
          names_of(declared));
  values_.reserve(declared.size());
  for (const Setting& setting : declared) {
    const auto mine = std::find_if(changes_.begin(), changes_.end(),
                                   [&](const auto& change) { return change.first == setting.name; });
    values_.emplace_back(setting.name, mine == changes_.end()
                                           ? setting.initial()
                                           : setting.parse(owner + ": " + setting.name, mine->second));
  }
}

bool Settings::changed(std::string_view name) const {
  return std::any_of(changes_.begin(), changes_.end(),
                     [&](const auto& change) { return change.first == name; });
}

template <typename Kind>
const Kind& Settings::get(std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name)
      if (const Kind* held = std::get_if<Kind>(&value)) return *held;
  fail(ErrorKind::argument, "{}: asks for the setting '{}', which it does not declare", owner_, name);
}

double Settings::real(std::string_view name) const {
  return get<double>(name);
}
int64_t Settings::integer(std::string_view name) const {
  return get<int64_t>(name);
}
const Laws& Settings::laws(std::string_view name) const {
  return get<Laws>(name);
}
const GaussianMixture& Settings::law(std::string_view name) const {
  return laws(name).at(0);
}
const Betas& Settings::betas(std::string_view name) const {
  return get<Betas>(name);
}

}  // namespace fokker::course
