#include "fokker/course/verify/theory_check.h"

#include <chrono>

#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker::verify {
namespace {

std::string names_of(const std::vector<Ingredient>& ingredients) {
  std::string names;
  for (const Ingredient& i : ingredients) names += (names.empty() ? "" : ", ") + i.name;
  return names.empty() ? "none" : names;
}

bool declares(const Check& check, std::string_view name) {
  return std::any_of(check.ingredients.begin(), check.ingredients.end(),
                     [&](const Ingredient& i) { return i.name == name; });
}

}  // namespace

Trial::Trial(const Check& check, const Rng& rng, std::string without, const course::Changes& set)
    : check_(check), rng_(rng), without_(std::move(without)), settings_(check.id, check.settings, set) {
  if (!without_.empty() && !declares(check, without_))
    fail(ErrorKind::argument, "{}: expected an ingredient to leave out among {} but received '{}'", check.id,
         names_of(check.ingredients), without_);
}

bool Trial::has(std::string_view ingredient) const {
  if (!declares(check_, ingredient))
    fail(ErrorKind::argument, "{}: the check asks for the ingredient '{}', which it does not declare",
         check_.id, ingredient);
  return without_ != ingredient;
}

Outcome run(const Check& check, uint64_t seed, const std::string& without, const course::Changes& set) {
  const Trial trial(check, Rng(seed).stream(check.id), without, set);
  Outcome outcome{
      .check = &check, .worst = {}, .findings = {}, .error = {}, .set = trial.settings().changes()};
  const auto begin = std::chrono::steady_clock::now();
  try {
    Evidence evidence;
    check.measure(trial, evidence);
    outcome.findings = evidence.findings();
    outcome.worst = evidence.worst();
  } catch (const std::exception& error) {
    check_stop();  // a check that was stopped has not failed
    outcome.error = error.what();
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

}  // namespace fokker::verify
