#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cli/option/command.h"
#include "cli/ranks.h"
#include "cli/signals.h"
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/runtime.h"
#include "fokker/core/text/text.h"

namespace fokker::cli {
namespace {

/// One line, whatever the library underneath put into its message.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int report(const std::string& text, ErrorKind kind) {
  std::fprintf(stderr, "fokker: %s%s\n", rank_prefix().c_str(), first_line(text).c_str());
  return static_cast<int>(kind);
}

/// Names and paths are kept in texts that must be UTF-8: what is not is refused before any work.
void check_texts(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const size_t at = first_invalid_utf8(argument);
    check(at == std::string::npos,
          "the argument '{}': byte {}: expected UTF-8 text (a file of such a name can be renamed, or linked "
          "to)",
          shown(argument), at + 1);
  }
}

int report_stop() {
  std::fprintf(stderr, "fokker: stopped by %s\n", caught_signal_name());
  return 128 + caught_signal();
}

int run(const std::vector<std::string>& arguments) {
  check_texts(arguments);
  CommandLine line;
  add_commands(line);
  if (arguments.size() == 2 && arguments[0] == "--write-help-texts") {
    write_file_atomically(arguments[1], line.help_texts());
    return 0;
  }
  return line.run(arguments);
}

int run_at_boundary(const std::vector<std::string>& arguments) try {
  const StopScope scope(&heed_signals());
  keep_freed_memory();
  return run(arguments);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace
}  // namespace fokker::cli

namespace {

int guarded_run(int argc, char** argv) {
  using fokker::ErrorKind;
  using fokker::cli::report;
  try {
    return fokker::cli::run_at_boundary({argv + 1, argv + argc});
  } catch (const fokker::Error& error) {
    return error.kind() == ErrorKind::stopped ? fokker::cli::report_stop()
                                              : report(error.what(), error.kind());
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
