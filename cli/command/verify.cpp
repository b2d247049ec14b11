#include "cli/option/command.h"
#include "cli/output.h"
#include "cli/settings_output.h"
#include "fokker/core/check.h"
#include "fokker/core/runtime.h"
#include "fokker/course/explain/derivation.h"
#include "fokker/course/verify/suite.h"
#include "fokker/report/math.h"

namespace fokker::cli {
namespace {

using verify::Check;
using verify::Finding;
using verify::Outcome;
using verify::Relation;

struct VerifyOptions {
  CommonOptions common;
  std::vector<std::string> ids;
  std::string without;
  std::vector<std::string> set;
  std::string out;
  bool list = false;
  bool explain = false;
  bool all = false;
};

std::vector<const Check*> chosen_checks(const std::vector<std::string>& ids) {
  try {
    return verify::select(ids);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + std::string("; fokker verify --list names them all"));
  }
}

std::string relation_name(Relation relation) {
  switch (relation) {
    case Relation::at_most:
      return "at_most";
    case Relation::at_least:
      return "at_least";
    case Relation::equal:
      break;
  }
  return "equal";
}

Json finding_json(const Finding& f) {
  return {{"what", f.what},
          {"relation", relation_name(f.relation)},
          {"expected", f.expected},
          {"measured", f.measured},
          {"standard_error", f.standard_error},
          {"tolerance", f.tolerance},
          {"comparisons", f.comparisons},
          {"passed", f.passed}};
}

Json description_json(const Check& c) {
  Json ingredients = Json::array();
  for (const auto& i : c.ingredients) ingredients.push_back({{"name", i.name}, {"removed", i.removed}});
  return {{"id", c.id},
          {"source", c.source},
          {"statement", c.statement},
          {"ingredients", ingredients},
          {"settings", settings_json(c.settings)}};
}

Json outcome_json(const Outcome& o) {
  Json json = {{"id", o.check->id}, {"source", o.check->source}, {"statement", o.check->statement}};
  json.update(finding_json(o.worst));
  json["passed"] = o.passed();
  json["seconds"] = o.seconds;
  if (!o.error.empty()) json["error"] = o.error;
  if (!o.set.empty()) json["set"] = changes_json(o.set);
  if (!o.left.empty()) json["as_it_is"] = o.left;
  json["findings"] = Json::array();
  for (const Finding& f : o.findings) json["findings"].push_back(finding_json(f));
  return json;
}

std::string finding_text(const Finding& f) {
  const char* relation = f.relation == Relation::at_most    ? "at most "
                         : f.relation == Relation::at_least ? "at least "
                                                            : "";
  std::string text =
      fmt::format("{}: expected {}{:.6g}, measured {:.6g}", f.what, relation, f.expected, f.measured);
  if (f.standard_error > 0) text += fmt::format(" ± {:.2g}", f.standard_error);
  return text + fmt::format(" (tolerance {:.2g})", f.tolerance);
}

std::string outcome_text(const Outcome& o, bool all) {
  std::string text = fmt::format("{}  {}  [{}; {:.1f} s]\n      {}\n", o.passed() ? "pass" : "FAIL",
                                 o.check->id, o.check->source, o.seconds, o.check->statement);
  for (const auto& [name, value] : o.set) text += fmt::format("      with {} = {}\n", name, value);
  for (const std::string& reason : o.left) text += fmt::format("      as it is, without {}\n", reason);
  if (!o.error.empty()) return text + "      " + o.error + "\n";
  if (!all) {
    const auto others = o.worst.comparisons - 1;
    return text + "      " + finding_text(o.worst) +
           (others ? fmt::format("; worst of {}", others + 1) : "") + "\n";
  }
  for (const Finding& f : o.findings)
    text += fmt::format("    {} {}\n", f.passed ? " " : "!", finding_text(f));
  return text;
}

int list_checks(const CommonOptions& common, const std::vector<const Check*>& checks) {
  Json json = Json::array();
  std::string text;
  for (const Check* c : checks) {
    json.push_back(description_json(*c));
    text += fmt::format("{:<34} {:<26} {}\n", c->id, c->source, c->statement);
    for (const auto& i : c->ingredients)
      text += fmt::format("{:<34} --without {}: {}\n", "", i.name, i.removed);
    text += settings_text(c->settings, 34);
  }
  print_result(common, {{"checks", json}}, text);
  return 0;
}

Json explained_json(const explain::Explained& e) {
  Json lines = Json::array();
  for (const explain::Line& line : e.lines)
    lines.push_back({{"formula", report::Math(line.formula).text()},
                     {"why", line.why},
                     {"left", line.left},
                     {"right", line.right},
                     {"difference", line.difference()},
                     {"holds", line.holds()}});
  return {{"id", e.derivation->id},
          {"source", e.derivation->source},
          {"setting", e.derivation->setting},
          {"lines", lines}};
}

/// Derivations line by line: those of the ids, or all.
int explain_checks(const VerifyOptions& o, const Command& command) {
  command.refuse({"all", "seed", "set"}, "--explain evaluates derivations at their own point");
  check(o.out.empty() || o.out.ends_with(".html"), "{}: expected an output that ends in .html", o.out);
  std::vector<explain::Explained> all;
  if (o.ids.empty())
    for (const auto& derivation : explain::all_derivations())
      all.push_back(explain::explain(derivation, o.without));
  for (const std::string& id : o.ids) all.push_back(explain::explain(explain::derivation_of(id), o.without));
  if (!o.out.empty()) {
    check_folder_of(o.out);
    explain::save_page(all, o.out);
  }
  Json rows = Json::array();
  std::string text;
  bool holds = true;
  for (const explain::Explained& e : all) {
    rows.push_back(explained_json(e));
    text += (text.empty() ? "" : "\n") + explain::as_text(e);
    holds = holds && e.holds();
  }
  print_result(o.common, {{"derivations", rows}, {"holds", holds}}, text);
  return holds ? 0 : static_cast<int>(ErrorKind::failed);
}

int run_verify(const VerifyOptions& o, const Command& command) {
  if (o.explain) return explain_checks(o, command);
  command.refuse({"out"}, "it belongs to --explain");
  const auto checks = chosen_checks(o.ids);
  if (o.list) command.refuse({"all", "without", "seed", "set"}, "--list measures nothing");
  if (o.list) return list_checks(o.common, checks);
  verify::RunOptions options{
      .seed = o.common.seed, .threads = thread_count(), .without = o.without, .set = o.set};
  if (!o.common.json)
    options.observer = [&](const Outcome& outcome) {
      print_result(o.common, {}, outcome_text(outcome, o.all));
      std::fflush(stdout);
    };
  const auto outcomes = verify::run(checks, options);
  const auto passed =
      std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& x) { return x.passed(); });
  const auto failed = static_cast<int64_t>(outcomes.size()) - passed;
  Json rows = Json::array();
  for (const Outcome& outcome : outcomes) rows.push_back(outcome_json(outcome));
  print_result(o.common, {{"checks", rows}, {"passed", passed}, {"failed", failed}},
               fmt::format("{} passed, {} failed\n", passed, failed));
  return failed == 0 ? 0 : static_cast<int>(ErrorKind::failed);
}

}  // namespace

void add_verify(CommandLine& line) {
  add_command<VerifyOptions>(
      line,
      {"verify", "Measure the theorems and identities of the theory against their closed forms",
       "fokker verify s0.reversal --seed 1\n"
       "  fokker verify s0.reversal.brownian-d2 --set target=my.json,sigma=3,n=20000"},
      [](Command& c, VerifyOptions& o) {
        c.option("ids", o.ids, "Checks or groups of checks (default: all)");
        c.flag("--list", o.list, "Name the checks with their sources and ingredients, and measure nothing");
        c.flag("--explain", o.explain,
               "Show the derivation line by line, each line evaluated (default: all that are written out)");
        c.option("--out", o.out, "Of --explain: also a page with typeset formulas, .html");
        c.flag("--all", o.all, "Show every comparison and not only the worst of each check");
        c.option("--without", o.without, "Leave out an ingredient that the check needs: it should then fail");
        c.repeated(
            "--set", o.set,
            "KEY=VALUE,...: the same check on your own problem (target, sigma, n, table, ...); of a "
            "group those that have the setting. --list names each check's settings with their defaults");
      },
      run_verify);
}

}  // namespace fokker::cli
