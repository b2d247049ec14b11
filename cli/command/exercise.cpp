#include "fokker/course/exercise/exercise.h"

#include <unistd.h>

#include <iostream>

#include "cli/option/command.h"
#include "fokker/core/check.h"

namespace fokker::cli {
namespace {

using exercise::Exercise;
using exercise::Grade;

struct ExerciseOptions {
  CommonOptions common;
  std::string id, answer, file;
  bool solution = false;
};

std::string question_text(const Exercise& e) {
  std::string text =
      fmt::format("{}  {}\n{}\n\n{}\n\nAnswer by a formula in", e.id, e.source, e.title, e.question);
  for (const auto& v : e.variables) text += fmt::format("\n  {:<9} {}", v.name, v.meaning);
  return text + "\n";
}

Json question_json(const Exercise& e) {
  Json variables = Json::array();
  for (const auto& v : e.variables)
    variables.push_back({{"name", v.name}, {"meaning", v.meaning}, {"low", v.low}, {"high", v.high}});
  return {{"id", e.id},
          {"title", e.title},
          {"source", e.source},
          {"question", e.question},
          {"variables", variables},
          {"check", e.check}};
}

int list_exercises(const CommonOptions& common) {
  Json json = Json::array();
  std::string text;
  for (const Exercise& e : exercise::all_exercises()) {
    json.push_back(question_json(e));
    text += fmt::format("{:<14} {:<34} {}\n", e.id, e.source, e.title);
  }
  print_result(common, {{"exercises", json}}, text);
  return 0;
}

std::string grade_text(const Exercise& e, const Grade& g) {
  if (g.right) return fmt::format("right (fokker verify {} measures it)\n", e.check);
  return fmt::format("not right: {}\nAt {} yours is {:.6g}; expected is {:.6g}, within {:.1g}.\n", g.hint,
                     g.where, g.worst.measured, g.worst.expected, g.worst.tolerance);
}

int show_grade(const CommonOptions& common, const Exercise& e, const Grade& g) {
  print_result(common,
               {{"id", e.id},
                {"right", g.right},
                {"hint", g.hint},
                {"where", g.where},
                {"expected", g.worst.expected},
                {"measured", g.worst.measured},
                {"tolerance", g.worst.tolerance}},
               grade_text(e, g));
  return g.right ? 0 : static_cast<int>(ErrorKind::failed);
}

/// Asks until the answer is right or the reader ends the input.
int ask(const CommonOptions& common, const Exercise& e) {
  for (std::string line; std::cout << "answer> " << std::flush, std::getline(std::cin, line);) {
    if (line.empty()) continue;
    try {
      const Grade grade = exercise::grade_formula(e, line);
      show_grade(common, e, grade);
      if (grade.right) return 0;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::argument) throw;
      std::cout << error.what() << "\n";  // a formula that cannot be read is asked for again
    }
  }
  std::cout << "\n";
  return static_cast<int>(ErrorKind::failed);
}

int run_exercise(const ExerciseOptions& o, const Command& command) {
  if (o.id.empty()) {
    command.refuse({"answer", "answer-file", "solution"}, "no exercise is named; fokker exercise lists them");
    return list_exercises(o.common);
  }
  const Exercise& e = exercise::exercise_of(o.id);
  check(o.answer.empty() || o.file.empty(),
        "answer-file: expected --answer or --answer-file but received both");
  if (!o.answer.empty()) return show_grade(o.common, e, exercise::grade_formula(e, o.answer));
  if (!o.file.empty()) return show_grade(o.common, e, exercise::grade_file(e, o.file));
  Json json = question_json(e);
  if (o.solution) json["solution"] = e.solution;
  print_result(o.common, json, question_text(e) + (o.solution ? "\nsolution: " + e.solution + "\n" : ""));
  const bool asks = !o.solution && !o.common.json && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  return asks ? ask(o.common, e) : 0;
}

}  // namespace

void add_exercise(CommandLine& line) {
  add_command<ExerciseOptions>(
      line,
      {"exercise", "Answer an exercise of the sources and have it graded",
       "fokker exercise s0.12-1 --answer \"sigma^2*(1-t) + 1\""},
      [](Command& c, ExerciseOptions& o) {
        c.option("id", o.id, "The exercise (default: list them)");
        c.option("--answer", o.answer, "A formula in the exercise's variables");
        c.option("--answer-file", o.file, "A CSV file with a column for each variable and one named answer");
        c.flag("--solution", o.solution, "Show the solution");
      },
      run_exercise);
}

}  // namespace fokker::cli
