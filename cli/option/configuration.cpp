#include <cstdio>

#include "cli/option/command.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker::cli {
void print_result(const CommonOptions& common, const Json& json, const std::string& text) {
  check_stop();
  const std::string line = common.json ? json_text(json) + "\n" : text;
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    fail(ErrorKind::resource, "standard output: cannot be written");
}

}  // namespace fokker::cli
