#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <string>

#include "fokker/core/device.h"
#include "fokker/core/json.h"

namespace fokker::cli {

/// Options that every command has.
struct CommonOptions {
  uint64_t seed = 0;
  std::string device = "cpu";
  int threads = 0;
  std::string precision = "auto";
  bool json = false;
  bool quiet = false;
};

/// What a command's work returns: the process's exit code.
using Work = std::function<int()>;

/// Adds a subcommand with the common options. `example` is shown by --help.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example, std::shared_ptr<CommonOptions> common, Work work);

/// Each is defined in the file of its name and registers one subcommand.
void add_train(CLI::App& app);
void add_sample(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_inspect(CLI::App& app);
void add_doctor(CLI::App& app);
void add_plot(CLI::App& app);

/// The work of the subcommand that was parsed.
Work& chosen_work();

/// Writes the subcommand's resolved options as TOML, so that --config FILE repeats the run.
void save_configuration(const CLI::App& command, const std::filesystem::path& file);

/// Reads FILE.toml of --config into command-line arguments "--key=value".
std::vector<std::string> arguments_from_toml(const std::filesystem::path& file);

/// Prints one JSON object, or the text where JSON was not asked for, on standard output.
void print_result(const CommonOptions& common, const Json& json, const std::string& text);

/// The signal that asked the program to stop, or 0. `catch_signals` makes SIGINT and SIGTERM set it; a second one kills.
int caught_signal();
void catch_signals();

}  // namespace fokker::cli
