#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/option/options.h"
#include "fokker/core/device.h"
#include "fokker/core/text/json.h"

namespace CLI {
class App;
}

namespace fokker::cli {

struct Subcommand;

/// Options that every command has.
struct CommonOptions {
  uint64_t seed = 0;
  std::string device = "cpu";
  int64_t threads = 0;
  std::string precision = "auto";
  bool json = false;
  bool quiet = false;
};

/// One subcommand while it is being described. The values it binds must live as long as the program's run.
/// (CLI11 writes the help. It is costly to compile and is included by one file only.)
class Command {
 public:
  Command(CLI::App& app, OptionTable& table) : app_(app), table_(table) {}
  enum class Need { optional, required };

  /// "--name" or, without dashes, a positional argument.
  void option(const std::string& name, std::string& value, const std::string& help,
              Need need = Need::optional);
  void option(const std::string& name, int64_t& value, const std::string& help);
  void option(const std::string& name, double& value, const std::string& help, Need need = Need::optional);
  /// Several values: repeated, or separated by commas; one that holds commas is in double quotes
  /// (split_list).
  void option(const std::string& name, std::vector<std::string>& value, const std::string& help,
              Need need = Need::optional);
  /// Several texts, one each time that the option is given; commas do not separate them.
  void repeated(const std::string& name, std::vector<std::string>& value, const std::string& help);
  /// A switch. `saved` says whether it is part of the configuration written beside the output.
  enum class Saved { yes, no };
  void flag(const std::string& name, bool& value, const std::string& help, Saved saved = Saved::yes);

  /// The heading of the help under which the options described from here on stand; returns the one before.
  std::string heading(std::string name);

  /// Of two options for one thing the command line may have one, and it replaces the other in a
  /// configuration.
  void alternatives(const std::string& first, const std::string& second);

  /// Whether the option named without dashes has another value than its default, from the command line or a
  /// configuration. (A saved configuration holds every option, so a default that was typed is not told
  /// apart.)
  bool given(const std::string& name) const;
  /// Argument error where one of these options was given: it would do nothing. "NAME: REASON".
  void refuse(const std::vector<std::string>& names, const std::string& reason) const;

  /// Writes the resolved options as TOML, so that --config FILE repeats the run. For commands that write a
  /// folder: beside a file named by --out they are left by every command.
  void save_configuration(const std::filesystem::path& file) const;
  /// Writes into a PNG file, or those of a folder, what made it: Software, Command (to be typed again), Seed,
  /// and the run as Model, where the command has one.
  void sign_pictures(const std::filesystem::path& out) const;

 private:
  void add(const std::string& name, OptionTarget target, Need need, bool saved = true, bool divided = true);
  CLI::App& app_;
  OptionTable& table_;
  std::string heading_ = "Options";
};

/// What a subcommand consists of. `Options` has a member `common`.
struct CommandDescription {
  std::string name, summary, example;
};

/// All subcommands, and the one that was asked for.
class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  /// Adds a subcommand with the common options; `work` runs when it was chosen and returns the exit code.
  Command add(const CommandDescription& description, std::shared_ptr<CommonOptions> common,
              std::function<int(const Command&)> work);
  /// Reads the arguments, then what --config names and a resumed run's own configuration where an option is
  /// not among them, and runs the subcommand that they name. Usage errors are argument errors.
  int run(const std::vector<std::string>& arguments);
  /// What a subcommand can be told. Argument error that lists the commands.
  OptionTable& options(const std::string& command);
  std::vector<std::string> commands() const;
  /// Every text that --help and --version print, as elements {"command", "text"} of a C++ array.
  std::string help_texts() const;

 private:
  struct State;
  Subcommand& find(const std::string& name) const;
  std::unique_ptr<State> state_;
};

/// Registers a subcommand whose options live in `Options`, with members bound by `describe`.
template <typename Options>
void add_command(CommandLine& line, const CommandDescription& description,
                 const std::function<void(Command&, Options&)>& describe,
                 std::function<int(const Options&, const Command&)> work) {
  auto options = std::make_shared<Options>();
  Command command =
      line.add(description, std::shared_ptr<CommonOptions>(options, &options->common),
               [options, work = std::move(work)](const Command& c) { return work(*options, c); });
  describe(command, *options);
}

/// Each is defined in the file of its name and registers one subcommand.
void add_train(CommandLine& line);
void add_sample(CommandLine& line);
void add_impute(CommandLine& line);
void add_restore(CommandLine& line);
void add_score(CommandLine& line);
void add_simulate(CommandLine& line);
void add_likelihood(CommandLine& line);
void add_encode(CommandLine& line);
void add_decode(CommandLine& line);
void add_interpolate(CommandLine& line);
void add_evaluate(CommandLine& line);
void add_calibrate(CommandLine& line);
void add_inspect(CommandLine& line);
void add_doctor(CommandLine& line);
void add_plot(CommandLine& line);
void add_report(CommandLine& line);
void add_verify(CommandLine& line);
void add_gallery(CommandLine& line);
void add_exercise(CommandLine& line);
void add_import(CommandLine& line);
void add_export(CommandLine& line);
void add_launch(CommandLine& line);
void add_watch(CommandLine& line);
/// All of them.
void add_commands(CommandLine& line);

/// Prints one JSON object, or the text where JSON was not asked for, on standard output, unless a signal has
/// asked for a stop.
void print_result(const CommonOptions& common, const Json& json, const std::string& text);

}  // namespace fokker::cli
