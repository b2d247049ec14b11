#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>

#include "cli/command.h"
#include "cli/signals.h"
#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/core/memory.h"

namespace fokker::cli {
namespace {

/// The value of "--key VALUE" or "--key=VALUE", or "".
std::string value_of(const std::vector<std::string>& arguments, const std::string& key) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == key && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(key + "=")) return arguments[i].substr(key.size() + 1);
  }
  return {};
}

bool is_given(const std::vector<std::string>& arguments, const std::string& key) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return argument == key || argument.starts_with(key + "=");
  });
}

/// The arguments with those of --config FILE, and of a resumed run's own configuration, put in where the same
/// option is not given on the command line.
std::vector<std::string> with_configuration(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  if (const auto file = value_of(arguments, "--config"); !file.empty()) files.push_back(file);
  if (is_given(arguments, "--resume")) {
    const auto saved = std::filesystem::path(value_of(arguments, "--out")) / "config.toml";
    if (std::filesystem::exists(saved)) files.push_back(saved.string());
  }
  std::vector<std::string> merged = arguments;
  for (const std::string& file : files) {
    const std::vector<std::string> before = merged;
    for (const std::string& extra : arguments_from_toml(file))
      if (!is_given(before, extra.substr(0, extra.find('=')))) merged.push_back(extra);
  }
  return merged;
}

/// One line, whatever the library underneath put into its message.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int report(const std::string& text, ErrorKind kind) {
  std::fprintf(stderr, "fokker: %s\n", first_line(text).c_str());
  return static_cast<int>(kind);
}

int report_stop() {
  std::fprintf(stderr, "fokker: stopped by %s\n", caught_signal_name());
  return 128 + caught_signal();
}

int run(const std::vector<std::string>& arguments) {
  CommandLine line;
  add_commands(line);
  if (arguments.size() == 2 && arguments[0] == "--write-help-texts") {
    write_file_atomically(arguments[1], line.help_texts());
    return 0;
  }
  return line.run(with_configuration(arguments));
}

}  // namespace
}  // namespace fokker::cli

namespace {

int guarded_run(int argc, char** argv) {
  using fokker::ErrorKind;
  using fokker::cli::report;
  try {
    const fokker::StopScope scope(&fokker::cli::heed_signals());
    fokker::keep_freed_memory();
    return fokker::cli::run({argv + 1, argv + argc});
  } catch (const fokker::Error& error) {
    return error.kind() == ErrorKind::stopped ? fokker::cli::report_stop()
                                              : report(error.what(), error.kind());
  } catch (const std::bad_alloc&) {
    return report("out of memory", ErrorKind::resource);
  } catch (const std::exception& error) {
    return report(error.what(), ErrorKind::failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int status = guarded_run(argc, argv);
#if !defined(__SANITIZE_ADDRESS__)
  // Nothing is left to write, and the destructors of libtorch's registries take a fifth of a second.
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(status);
#endif
  return status;
}
