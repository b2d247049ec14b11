#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "fokker/core/text/json.h"

namespace fokker::cli {

/// Where an option's value lives, and of which type it is.
using OptionTarget =
    std::variant<std::string*, int64_t*, uint64_t*, double*, bool*, std::vector<std::string>*>;

/// One option of a subcommand.
struct Option {
  std::string name;  ///< without dashes; a positional argument can be written as an option of its name too
  OptionTarget target;
  bool positional = false, required = false;
  bool saved = true;    ///< whether it is part of the configuration written beside the output
  bool divided = true;  ///< of a list: whether commas separate its items in a text
};

/// The options of one subcommand, and the one path of every value from the command line or a configuration
/// into its variable and back into a configuration. An option holds what was given first: read the command
/// line, then the configurations in the order of their precedence.
class OptionTable {
 public:
  explicit OptionTable(std::string command) : command_(std::move(command)) {}
  const std::string& command() const { return command_; }

  void add(Option option);
  /// Says that giving one of two options means not having the other: both at once are an argument error, and
  /// a configuration's is dropped where the command line has the other. A number of 0 is not given.
  void add_alternatives(const std::string& first, const std::string& second);

  /// "--name value", "--name=value", "--flag", and positional arguments in their order; after "--" all are.
  /// What follows an option is its value, whatever it looks like. Argument errors name the option.
  void read_arguments(const std::vector<std::string>& arguments);
  /// A TOML file with the options' names as keys. Input errors name the file, the line and the key.
  void read_file(const std::filesystem::path& file);
  /// Argument error where a required option was given by none of these.
  void check_required() const;

  /// All options but those that are not saved, as TOML that `read_file` reads into the same values.
  std::string to_toml() const;
  /// The command with the options that were changed, as a shell reads it: "fokker sample run --n 4".
  std::string to_command() const;
  /// All, in the order in which they were added.
  std::vector<Option> options() const;
  bool has(const std::string& name) const;
  /// The value of an option that is a text.
  const std::string& text(const std::string& name) const;
  /// Whether an option has another value than before anything was read. (A saved configuration holds every
  /// option, so that a default that was typed is not told apart.)
  bool changed(const std::string& name) const;

 private:
  struct Entry {
    Option option;
    std::string usual;  ///< its first value, as TOML
    bool given = false;
  };
  Entry* find(const std::string& name);
  const Entry& at(const std::string& name) const;
  void take(Entry& entry, const std::vector<std::string>& texts);
  Entry* next_positional();
  void settle_alternatives(const std::set<std::string>& given_before);

  std::string command_;
  std::vector<Entry> entries_;
  std::vector<std::pair<std::string, std::string>> alternatives_;
};

/// "a,b" is a and b. An item in double quotes may hold commas and, doubled, double quotes: "x, cm",y.
/// Argument error, with `what` in front, where a quote is not closed or text follows it.
std::vector<std::string> split_list(const std::string& what, const std::string& text);

}  // namespace fokker::cli
