#include "cli/option/command.h"
#include "fokker/core/error.h"
#include "fokker/core/runtime.h"
#include "fokker/course/verify/suite.h"

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
  bool list = false;
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
  return {{"id", c.id}, {"source", c.source}, {"statement", c.statement}, {"ingredients", ingredients}};
}

Json outcome_json(const Outcome& o) {
  Json json = {{"id", o.check->id}, {"source", o.check->source}, {"statement", o.check->statement}};
  json.update(finding_json(o.worst));
  json["passed"] = o.passed();
  json["seconds"] = o.seconds;
  if (!o.error.empty()) json["error"] = o.error;
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
  }
  print_result(common, {{"checks", json}}, text);
  return 0;
}

int run_verify(const VerifyOptions& o, const Command& command) {
  const auto checks = chosen_checks(o.ids);
  if (o.list) command.refuse({"all", "without", "seed"}, "--list measures nothing");
  if (o.list) return list_checks(o.common, checks);
  verify::RunOptions options{.seed = o.common.seed, .threads = thread_count(), .without = o.without};
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
       "fokker verify s0.reversal --seed 1"},
      [](Command& c, VerifyOptions& o) {
        c.option("ids", o.ids, "Checks or groups of checks (default: all)");
        c.flag("--list", o.list, "Name the checks with their sources and ingredients, and measure nothing");
        c.flag("--all", o.all, "Show every comparison and not only the worst of each check");
        c.option("--without", o.without, "Leave out an ingredient that the check needs: it should then fail");
      },
      run_verify);
}

}  // namespace fokker::cli
