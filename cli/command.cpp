#include "cli/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/core/progress.h"
#include "fokker/core/version.h"
#include "fokker/nn/product_precision.h"

namespace fokker::cli {
namespace {

void add_common(CLI::App& app, CommonOptions& common) {
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

/// Whether two values are written alike, or are the same number.
bool same_value(const std::string& a, const std::string& b) {
  if (a == b) return true;
  char *end_a = nullptr, *end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a), y = std::strtod(b.c_str(), &end_b);
  return !a.empty() && !b.empty() && *end_a == 0 && *end_b == 0 && x == y;
}

}  // namespace

void Command::option(const std::string& name, std::string& value, const std::string& help, Need need) {
  // A positional argument can be written as an option too, so that a saved configuration can hold it.
  const std::string names = name.starts_with("--") ? name : name + ",--" + name;
  app_.add_option(names, value, help)->required(need == Need::required);
}
void Command::option(const std::string& name, int64_t& value, const std::string& help) {
  app_.add_option(name, value, help);
}
void Command::option(const std::string& name, double& value, const std::string& help, Need need) {
  app_.add_option(name, value, help)->required(need == Need::required);
}
void Command::option(const std::string& name, std::vector<std::string>& value, const std::string& help,
                     Need need) {
  const std::string names = name.starts_with("--") ? name : name + ",--" + name;
  app_.add_option(names, value, help)->delimiter(',')->required(need == Need::required);
}
void Command::repeated(const std::string& name, std::vector<std::string>& value, const std::string& help) {
  app_.add_option(name, value, help)->allow_extra_args(false);
}
void Command::flag(const std::string& name, bool& value, const std::string& help, Saved saved) {
  app_.add_flag(name, value, help)->configurable(saved == Saved::yes);
}

bool Command::given(const std::string& name) const {
  const CLI::Option& option = *app_.get_option("--" + name);
  if (option.count() == 0) return false;
  if (option.get_items_expected_max() == 0) return option.as<bool>();  // a switch
  const auto& values = option.results();
  return values.size() != 1 || !same_value(values[0], option.get_default_str());
}
void Command::refuse(const std::vector<std::string>& names, const std::string& reason) const {
  for (const std::string& name : names) check(!given(name), "{}: {}", name, reason);
}

void Command::save_configuration(const std::filesystem::path& file) const {
  const std::string header =
      fmt::format("# fokker {} --config {}\n", app_.get_name(), file.filename().string());
  write_file_atomically(file, header + app_.config_to_str(true, false));
}

struct CommandLine::State {
  CLI::App app{"fokker: denoising diffusion and score-based generative modelling", "fokker"};
  std::function<int()> chosen;
};

CommandLine::CommandLine() : state_(std::make_unique<State>()) {
  state_->app.set_version_flag("--version", std::string("fokker ") + version());
  state_->app.require_subcommand(1);
}
CommandLine::~CommandLine() = default;

Command CommandLine::add(const CommandDescription& description, std::shared_ptr<CommonOptions> common,
                         std::function<int(const Command&)> work) {
  CLI::App* app = state_->app.add_subcommand(description.name, description.summary);
  app->footer("\nExample:\n  " + description.example);
  app->option_defaults()->always_capture_default();
  add_common(*app, *common);
  app->callback([state = state_.get(), app, common, work = std::move(work)] {
    state->chosen = [app, common, work] {
      set_quiet(common->quiet);
      set_threads(common->threads);
      if (parse_precision(common->precision) == Precision::bf16 && !has_bf16_products())
        warn(
            "precision: this processor has no bfloat16 products; factors are rounded and multiplied in "
            "float32, "
            "which is slower than fp32");
      parse_device(common->device);
      return work(Command(*app));
    };
  });
  return Command(*app);
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
  add("--version", std::string("fokker ") + version() + "\n");
  add("", state_->app.help());
  for (const CLI::App* app : state_->app.get_subcommands({})) add(app->get_name(), app->help("fokker"));
  return texts;
}

int CommandLine::run(const std::vector<std::string>& arguments) {
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    state_->app.parse(std::move(reversed));
  } catch (const CLI::Success& success) {
    return state_->app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::string text = error.what();
    if (text.starts_with("A subcommand is required"))
      fail(ErrorKind::argument, "expected a command; fokker --help lists them");
    fail(ErrorKind::argument, "{}", text);
  }
  return state_->chosen();
}

}  // namespace fokker::cli
