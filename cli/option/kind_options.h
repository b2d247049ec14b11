#pragma once
#include "cli/option/command.h"
#include "fokker/data/load.h"

namespace fokker::cli {

/// What the columns of a CSV file hold, as typed.
struct KindOptions {
  std::string schema;              ///< a file that says it
  std::vector<std::string> types;  ///< "COLUMN=KIND"

  bool any_kinds() const { return !schema.empty() || !types.empty(); }
};

void describe_kinds(Command& command, KindOptions& options);
/// What `describe_kinds` describes, without dashes.
const std::vector<std::string>& kind_option_names();

/// Has the file be read as one of columns of any kinds, of which the options say some. Argument error for a
/// type that is none, or one beside a schema of all columns; input error for a file that is no schema.
void choose_kinds(const KindOptions& options, LoadOptions& reading);

}  // namespace fokker::cli
