#include "cli/option/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/option/toml.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/messages.h"
#include "fokker/core/runtime.h"
#include "fokker/core/text/text.h"
#include "fokker/core/version.h"
#include "fokker/image/png_text.h"
#include "fokker/nn/product_precision.h"

namespace fokker::cli {
namespace {

void describe_common(CLI::App& app, CommonOptions& common) {
  app.add_option("--seed", common.seed, "Seed of all random numbers")->group("General");
  app.add_option("--device", common.device, "cpu, cuda or cuda:INDEX")->group("General");
  app.add_option("--threads", common.threads, "Threads; 0 uses every core")->group("General");
  app.add_option("--precision", common.precision, "auto, fp32, bf16 or fp64")->group("General");
  app.add_flag("--json", common.json, "Print the result as one JSON object")
      ->group("General")
      ->configurable(false);
  app.add_flag("--quiet", common.quiet, "No messages or progress")->group("General")->configurable(false);
  app.add_option_function<std::string>(
         "--config", [](const std::string&) {}, "Read options from a TOML file with the same keys")
      ->type_name("FILE.toml")
      ->group("General")
      ->configurable(false);
}

/// A positional argument can be written as an option too, so that a saved configuration can hold it.
std::string both_names(const std::string& name) {
  return name.starts_with("--") ? name : name + ",--" + name;
}

}  // namespace

void Command::add(const std::string& name, OptionTarget target, Need need, bool saved, bool divided) {
  const bool positional = !name.starts_with("--");
  table_.add({.name = positional ? name : name.substr(2),
              .target = target,
              .positional = positional,
              .required = need == Need::required,
              .saved = saved,
              .divided = divided});
}

void Command::option(const std::string& name, std::string& value, const std::string& help, Need need) {
  app_.add_option(both_names(name), value, help)->group(heading_)->required(need == Need::required);
  add(name, &value, need);
}
void Command::option(const std::string& name, int64_t& value, const std::string& help) {
  app_.add_option(name, value, help)->group(heading_);
  add(name, &value, Need::optional);
}
void Command::option(const std::string& name, double& value, const std::string& help, Need need) {
  app_.add_option(name, value, help)->group(heading_)->required(need == Need::required);
  add(name, &value, need);
}
void Command::option(const std::string& name, std::vector<std::string>& value, const std::string& help,
                     Need need) {
  app_.add_option(both_names(name), value, help)
      ->group(heading_)
      ->delimiter(',')
      ->required(need == Need::required);
  add(name, &value, need);
}
void Command::repeated(const std::string& name, std::vector<std::string>& value, const std::string& help) {
  app_.add_option(name, value, help)->group(heading_)->allow_extra_args(false);
  add(name, &value, Need::optional, true, false);
}
void Command::flag(const std::string& name, bool& value, const std::string& help, Saved saved) {
  app_.add_flag(name, value, help)->group(heading_);
  add(name, &value, Need::optional, saved == Saved::yes);
}
std::string Command::heading(std::string name) {
  return std::exchange(heading_, std::move(name));
}
void Command::alternatives(const std::string& first, const std::string& second) {
  table_.add_alternatives(first.substr(2), second.substr(2));
}

bool Command::given(const std::string& name) const {
  return table_.changed(name);
}
void Command::refuse(const std::vector<std::string>& names, const std::string& reason) const {
  for (const std::string& name : names) check(!given(name), "{}: {}", name, reason);
}

void Command::save_configuration(const std::filesystem::path& file) const {
  const std::string header =
      fmt::format("# fokker {} --config {}\n", table_.command(), toml_string(file.filename().string()));
  write_file_atomically(file, header + table_.to_toml());
}

void Command::sign_pictures(const std::filesystem::path& out) const {
  namespace fs = std::filesystem;
  PngTexts texts = {{"Software", std::string("fokker ") + library_version()},
                    {"Command", table_.to_command()}};
  if (first_invalid_utf8(texts["Command"]) != std::string::npos) texts.erase("Command");
  for (const Option& option : table_.options()) {
    if (option.name == "seed") texts["Seed"] = fmt::format("{}", *std::get<uint64_t*>(option.target));
    if (option.name == "run") texts["Model"] = *std::get<std::string*>(option.target);
  }
  if (texts["Model"].empty()) texts.erase("Model");
  const auto sign = [&](const fs::path& file) {
    if (file.extension() != ".png" || !fs::is_regular_file(file)) return;
    write_file_atomically(file, with_png_texts(read_file(file), texts, file.string()));
  };
  if (fs::is_directory(out))
    for (const auto& entry : fs::directory_iterator(out)) sign(entry.path());
  else
    sign(out);
}

/// A subcommand and what it was told.
struct Subcommand {
  CLI::App* app;
  OptionTable table;
  std::shared_ptr<CommonOptions> common;
  std::function<int(const Command&)> work;
  std::string configuration = {};  ///< --config
};

struct CommandLine::State {
  CLI::App app{"fokker: denoising diffusion and score-based generative modelling", "fokker"};
  std::vector<std::unique_ptr<Subcommand>> commands;
};

CommandLine::CommandLine() : state_(std::make_unique<State>()) {
  state_->app.set_version_flag("--version", std::string("fokker ") + library_version());
  state_->app.require_subcommand(1);
}
CommandLine::~CommandLine() = default;

Command CommandLine::add(const CommandDescription& description, std::shared_ptr<CommonOptions> common,
                         std::function<int(const Command&)> work) {
  CLI::App* app = state_->app.add_subcommand(description.name, description.summary);
  app->footer("\nExample:\n  " + description.example);
  app->option_defaults()->always_capture_default();
  auto& made = state_->commands.emplace_back(
      new Subcommand{app, OptionTable(description.name), std::move(common), std::move(work)});
  describe_common(*app, *made->common);
  for (Option option : {Option{.name = "seed", .target = &made->common->seed},
                        Option{.name = "device", .target = &made->common->device},
                        Option{.name = "threads", .target = &made->common->threads},
                        Option{.name = "precision", .target = &made->common->precision},
                        Option{.name = "json", .target = &made->common->json, .saved = false},
                        Option{.name = "quiet", .target = &made->common->quiet, .saved = false},
                        Option{.name = "config", .target = &made->configuration, .saved = false}})
    made->table.add(std::move(option));
  return Command(*app, made->table);
}

std::string CommandLine::help_texts() const {
  std::string texts;
  // Pieces, because compilers limit the length of one string.
  const auto add = [&](const std::string& command, const std::string& text) {
    texts += fmt::format("{{\"{}\",", command);
    for (size_t first = 0; first < text.size(); first += 8000)
      texts += fmt::format("\n R\"~~({})~~\"", text.substr(first, 8000));
    texts += "},\n";
  };
  add("--version", std::string("fokker ") + library_version() + "\n");
  add("", state_->app.help());
  for (const CLI::App* app : state_->app.get_subcommands({})) add(app->get_name(), app->help("fokker"));
  return texts;
}

namespace {

bool asks_help(const std::string& argument) {
  return argument == "--help" || argument == "-h";
}

/// What the command line says, then what the configurations say of the rest.
void read_options(OptionTable& table, const std::string& configuration,
                  const std::vector<std::string>& arguments) {
  table.read_arguments(arguments);
  if (!configuration.empty()) table.read_file(configuration);
  if (table.has("resume") && table.changed("resume")) {
    const auto saved = std::filesystem::path(table.text("out")) / "config.toml";
    if (std::filesystem::exists(saved)) table.read_file(saved);
  }
  table.check_required();
}

/// Beside the file that --out names. A folder has its own, which its command writes.
void leave_configuration(const Command& command, const OptionTable& table) {
  const std::string out = table.has("out") ? table.text("out") : "";
  if (out.empty() || !std::filesystem::is_regular_file(out)) return;
  command.save_configuration(out + ".toml");
  command.sign_pictures(out);
}

void apply_common(const CommonOptions& common) {
  show_messages(common.quiet);
  set_threads(common.threads);
  if (parse_precision(common.precision) == Precision::bf16 && !has_bf16_products())
    warn(
        "precision: this processor has no bfloat16 products; factors are rounded and multiplied in float32, "
        "which is slower than fp32");
  parse_device(common.device);
}

}  // namespace

std::vector<std::string> CommandLine::commands() const {
  std::vector<std::string> names;
  for (const auto& command : state_->commands) names.push_back(command->table.command());
  return names;
}

Subcommand& CommandLine::find(const std::string& name) const {
  for (const auto& command : state_->commands)
    if (command->table.command() == name) return *command;
  fail(ErrorKind::argument, "unknown command '{}'; valid names: {}", name, join(commands()));
}

OptionTable& CommandLine::options(const std::string& command) {
  return find(command).table;
}

int CommandLine::run(const std::vector<std::string>& arguments) {
  check(!arguments.empty(), "expected a command; fokker --help lists them");
  const std::string& name = arguments[0];
  if (asks_help(name) || name == "--version") {
    print_result({}, {},
                 asks_help(name) ? state_->app.help() : fmt::format("fokker {}\n", library_version()));
    return 0;
  }
  Subcommand& command = find(name);
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (std::any_of(rest.begin(), rest.end(), asks_help)) {
    print_result({}, {}, command.app->help("fokker"));
    return 0;
  }
  read_options(command.table, command.configuration, rest);
  check_shared(name);
  apply_common(*command.common);
  const Command chosen(*command.app, command.table);
  const int status = command.work(chosen);
  if (status == 0 && rank_prefix().empty()) leave_configuration(chosen, command.table);
  return status;
}

}  // namespace fokker::cli
