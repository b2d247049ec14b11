#include "fokker/course/explain/derivation.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/report/math.h"
#include "fokker/report/page.h"

namespace fokker::explain {
namespace {

/// With the sign that stands beside digits.
std::string with_minus(const std::string& number) {
  return number.starts_with('-') ? "−" + number.substr(1) : number;
}

std::string shown_number(double value) {
  return with_minus(fmt::format("{:.10g}", value));
}

std::string shown_difference(double value) {
  return value == 0 ? "0" : with_minus(fmt::format("{:.1e}", value));
}

std::string verdict(const Line& line) {
  return line.holds() ? "holds" : "DOES NOT HOLD";
}

}  // namespace

bool Line::holds() const {
  return std::abs(difference()) <= allowance * std::max(1.0, std::abs(right));
}

bool Explained::holds() const {
  return std::all_of(lines.begin(), lines.end(), [](const Line& l) { return l.holds(); });
}

const std::vector<Derivation>& all_derivations() {
  static const std::vector<Derivation> all = {theorem_12_3(),      fisher_identity(),
                                              elimination_of_x0(), evidence_lower_bound(),
                                              sums_of_the_chain(), tweedie_formula()};
  return all;
}

const Derivation& derivation_of(const std::string& id) {
  std::vector<std::string> ids;
  for (const Derivation& d : all_derivations()) {
    if (d.id == id) return d;
    ids.push_back(d.id);
  }
  fail(ErrorKind::argument, "explain: no derivation is written out for '{}'; there are: {}", shown(id),
       join(ids));
}

Explained explain(const Derivation& derivation, const std::string& without) {
  check(without.empty() || without == derivation.mistake.name,
        "{}: expected '{}' to leave out of the derivation but received '{}'", derivation.id,
        derivation.mistake.name, shown(without));
  return {&derivation, derivation.lines(without.empty())};
}

std::string as_text(const Explained& explained) {
  const Derivation& d = *explained.derivation;
  std::string text = fmt::format("{}  {}\n{}\n{}\n", d.id, d.source, d.title, d.setting);
  for (size_t i = 0; i < explained.lines.size(); ++i) {
    const Line& line = explained.lines[i];
    text += fmt::format("\n({})  {}\n     {}\n     left {}   right {}   difference {}   {}\n", i + 1,
                        report::Math(line.formula).text(), line.why, shown_number(line.left),
                        shown_number(line.right), shown_difference(line.difference()), verdict(line));
  }
  return text;
}

void save_page(const std::vector<Explained>& all, const std::filesystem::path& file) {
  report::Page page("Line by line",
                    "Derivations of the sources, each line evaluated at a point or by quadrature: where a "
                    "line is wrong its "
                    "two sides differ.");
  for (const Explained& explained : all) {
    const Derivation& d = *explained.derivation;
    page.section(d.title);
    page.facts({{"Source", d.source}, {"Check", d.id}}).prose("Evaluated at: " + d.setting + ".");
    for (size_t i = 0; i < explained.lines.size(); ++i) {
      const Line& line = explained.lines[i];
      page.heading(fmt::format("({})", i + 1)).formula(line.formula).prose(line.why);
      page.facts({{"Left and right", shown_number(line.left) + " and " + shown_number(line.right)},
                  {"Difference", shown_difference(line.difference()) + ": " + verdict(line)}});
    }
  }
  page.save(file);
}

}  // namespace fokker::explain
