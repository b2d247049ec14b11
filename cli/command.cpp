#include "cli/command.h"

#include <csignal>
#include <cstdio>
#include <toml++/toml.h>

#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/core/progress.h"

namespace fokker::cli {
namespace {

volatile std::sig_atomic_t signal_number = 0;

void remember(int number) {
  signal_number = number;
  std::signal(number, SIG_DFL);
}

/// One TOML value as it would be typed after --key=.
std::string argument_text(const std::string& file, const std::string& key, const toml::node& node) {
  if (const auto text = node.as_string()) return text->get();
  if (const auto whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto flag = node.as_boolean()) return flag->get() ? "true" : "false";
  fail(ErrorKind::input, "{}: line {}: expected a string, number, boolean or list of them for '{}'", file,
       node.source().begin.line, key);
}

}  // namespace

Work& chosen_work() {
  static Work work;
  return work;
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example, std::shared_ptr<CommonOptions> common, Work work) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("\nExample:\n  " + example);
  command->option_defaults()->always_capture_default();
  command->add_option("--seed", common->seed, "Seed of all random numbers")->group("General");
  command->add_option("--device", common->device, "cpu, cuda or cuda:INDEX")->group("General");
  command->add_option("--threads", common->threads, "Threads; 0 uses every core")->group("General");
  command->add_option("--precision", common->precision, "auto, fp32, bf16 or fp64")->group("General");
  command->add_flag("--json", common->json, "Print the result as one JSON object")->group("General")->configurable(false);
  command->add_flag("--quiet", common->quiet, "No messages or progress")->group("General")->configurable(false);
  command->add_option("--config", "Read options from a TOML file with the same keys")
      ->type_name("FILE.toml")
      ->group("General")
      ->configurable(false);
  command->callback([common, work = std::move(work)] {
    chosen_work() = [common, work] {
      set_quiet(common->quiet);
      set_threads(common->threads);
      parse_precision(common->precision);
      return work();
    };
  });
  return command;
}

void save_configuration(const CLI::App& command, const std::filesystem::path& file) {
  const std::string header = fmt::format("# fokker {} --config {}\n", command.get_name(), file.filename().string());
  write_file_atomically(file, header + command.config_to_str(true, false));
}

std::vector<std::string> arguments_from_toml(const std::filesystem::path& file) {
  const std::string content = read_file(file, 1 << 20);
  toml::table table;
  try {
    table = toml::parse(content, file.string());
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::input, "{}: line {}: not valid TOML: {}", file.string(), error.source().begin.line,
         error.description());
  }
  std::vector<std::string> arguments;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (const auto list = node.as_array()) {
      for (const auto& item : *list)
        arguments.push_back(fmt::format("--{}={}", name, argument_text(file.string(), name, item)));
    } else {
      arguments.push_back(fmt::format("--{}={}", name, argument_text(file.string(), name, node)));
    }
  }
  return arguments;
}

void print_result(const CommonOptions& common, const Json& json, const std::string& text) {
  const std::string line = common.json ? json.dump() + "\n" : text;
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    fail(ErrorKind::resource, "standard output: cannot be written");
}

int caught_signal() { return signal_number; }

void catch_signals() {
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
}

}  // namespace fokker::cli
