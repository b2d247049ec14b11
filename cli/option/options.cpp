#include "cli/option/options.h"

#include <algorithm>
#include <limits>

#include "cli/option/toml.h"
#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker::cli {
namespace {

template <typename T>
T* target_of(const Option& option) {
  const auto* target = std::get_if<T*>(&option.target);
  return target ? *target : nullptr;
}

bool is_list(const Option& option) {
  return target_of<std::vector<std::string>>(option) != nullptr;
}
bool is_flag(const Option& option) {
  return target_of<bool>(option) != nullptr;
}

bool parse_flag(const std::string& what, const std::string& text) {
  for (const char* word : {"true", "yes", "on", "1"})
    if (text == word) return true;
  for (const char* word : {"false", "no", "off", "0"})
    if (text == word) return false;
  fail(ErrorKind::argument, "{}: expected true or false but received '{}'", what, text);
}

/// The one place where a text becomes the value of an option. Items of a list are taken as they are.
void assign(const Option& option, const std::vector<std::string>& texts) {
  const std::string& what = option.name;
  if (auto* list = target_of<std::vector<std::string>>(option)) {
    *list = texts;
    return;
  }
  check(texts.size() == 1, "{}: expected one value but received {}", what, texts.size());
  const std::string& text = texts[0];
  check(!(option.required && text.empty()), "{}: expected a value but received ''", what);
  if (auto* string = target_of<std::string>(option)) *string = text;
  if (auto* whole = target_of<int64_t>(option)) *whole = parse_integer(what, text);
  if (auto* seed = target_of<uint64_t>(option)) *seed = parse_unsigned(what, text);
  if (auto* real = target_of<double>(option)) *real = parse_real(what, text);
  if (auto* flag = target_of<bool>(option)) *flag = parse_flag(what, text);
}

std::string value_as_toml(const Option& option) {
  if (const auto* text = target_of<std::string>(option)) return toml_string(*text);
  if (const auto* whole = target_of<int64_t>(option)) return fmt::format("{}", *whole);
  if (const auto* real = target_of<double>(option)) return fmt::format("{}", *real);
  if (const auto* flag = target_of<bool>(option)) return *flag ? "true" : "false";
  if (const auto* seed = target_of<uint64_t>(option)) {
    // TOML's whole numbers have 63 bits and a sign.
    constexpr auto most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    const std::string digits = fmt::format("{}", *seed);
    return *seed <= most ? digits : toml_string(digits);
  }
  std::string items;
  for (const std::string& item : *target_of<std::vector<std::string>>(option))
    items += (items.empty() ? "" : ", ") + toml_string(item);
  return "[" + items + "]";
}

bool is_zero(const std::string& toml) {
  return toml == "0" || toml == "-0";
}

}  // namespace

std::vector<std::string> split_list(const std::string& what, const std::string& text) {
  std::vector<std::string> items;
  for (size_t i = 0; i < text.size();) {
    std::string item;
    const bool quoted = text[i] == '"';
    if (quoted) {
      for (++i;; ++i) {
        check(i < text.size(), "{}: a double quote is not closed in '{}'", what, text);
        if (text[i] != '"')
          item += text[i];
        else if (i + 1 < text.size() && text[i + 1] == '"')
          item += text[i++];
        else
          break;
      }
      ++i;
      check(i == text.size() || text[i] == ',', "{}: expected a comma after the closing quote in '{}'", what,
            text);
    } else {
      const size_t end = std::min(text.find(',', i), text.size());
      item = text.substr(i, end - i);
      i = end;
    }
    ++i;
    if (quoted || !item.empty()) items.push_back(std::move(item));
  }
  return items;
}

void OptionTable::add(Option option) {
  Entry entry{.option = std::move(option), .usual = {}};
  entry.usual = value_as_toml(entry.option);
  entries_.push_back(std::move(entry));
}

void OptionTable::add_alternatives(const std::string& first, const std::string& second) {
  alternatives_.emplace_back(first, second);
}

OptionTable::Entry* OptionTable::find(const std::string& name) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.option.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

const OptionTable::Entry& OptionTable::at(const std::string& name) const {
  const Entry* entry = const_cast<OptionTable*>(this)->find(name);
  check(entry != nullptr, "{}: it has no option '{}'", command_, name);
  return *entry;
}

/// The values of one occurrence on the command line: the first replaces what a list held, later ones add to
/// it.
void OptionTable::take(Entry& entry, const std::vector<std::string>& texts) {
  const Option& option = entry.option;
  auto* list = target_of<std::vector<std::string>>(option);
  check(list || is_flag(option) || !entry.given, "{}: it was given twice", option.name);
  std::vector<std::string> all;
  if (list && entry.given) all = *list;
  for (const std::string& text : texts) {
    const auto items =
        list && option.divided ? split_list(option.name, text) : std::vector<std::string>{text};
    all.insert(all.end(), items.begin(), items.end());
  }
  assign(option, all);
  entry.given = true;
}

OptionTable::Entry* OptionTable::next_positional() {
  const auto free = [](const Entry& entry) {
    return entry.option.positional && (is_list(entry.option) || !entry.given);
  };
  const auto found = std::find_if(entries_.begin(), entries_.end(), free);
  return found == entries_.end() ? nullptr : &*found;
}

void OptionTable::read_arguments(const std::vector<std::string>& arguments) {
  bool options_ended = false;
  Entry* open_list = nullptr;  // "--columns a b": words that no positional argument can take
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!options_ended && argument == "--") {
      options_ended = true;
    } else if (!options_ended && argument.starts_with("--")) {
      const size_t equals = argument.find('=');
      const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
      Entry* entry = find(name);
      check(entry != nullptr, "{}: it has no option --{}; fokker {} --help lists them", command_, name,
            command_);
      open_list = is_list(entry->option) && entry->option.divided ? entry : nullptr;
      if (equals != std::string::npos) {
        take(*entry, {argument.substr(equals + 1)});
      } else if (is_flag(entry->option)) {
        take(*entry, {"true"});
      } else {
        check(i + 1 < arguments.size(), "{}: expected a value after --{}", name, name);
        take(*entry, {arguments[++i]});
      }
    } else {
      Entry* entry = next_positional();
      if (!entry) entry = open_list;
      check(entry != nullptr && (options_ended || argument == "-" || !argument.starts_with('-')),
            "{}: '{}' was not expected; fokker {} --help lists its options", command_, argument, command_);
      take(*entry, {argument});
    }
  }
  settle_alternatives({});
}

void OptionTable::read_file(const std::filesystem::path& file) {
  std::set<std::string> given_before;
  for (const Entry& entry : entries_)
    if (entry.given) given_before.insert(entry.option.name);
  for (const TomlValue& value : read_toml(file)) {
    const std::string place = fmt::format("{}: line {}", file.string(), value.line);
    Entry* entry = find(value.key);
    check_input(entry != nullptr && value.key != "config", "{}: {} has no option '{}'", place, command_,
                value.key);
    if (given_before.contains(value.key)) continue;
    std::vector<std::string> texts = value.texts;
    try {
      if (is_list(entry->option) && !value.is_array)
        texts = entry->option.divided ? split_list(value.key, texts[0]) : texts;
      assign(entry->option, texts);
    } catch (const Error& error) {
      fail(ErrorKind::input, "{}: {}", place, error.what());
    }
    entry->given = true;
  }
  settle_alternatives(given_before);
}

void OptionTable::settle_alternatives(const std::set<std::string>& given_before) {
  for (const auto& [first, second] : alternatives_) {
    Entry* pair[] = {find(first), find(second)};
    const auto has_value = [](const Entry& e) { return e.given && !is_zero(value_as_toml(e.option)); };
    if (!has_value(*pair[0]) || !has_value(*pair[1])) continue;
    const bool before[] = {given_before.contains(first), given_before.contains(second)};
    check(before[0] != before[1], "{}: expected it or {}, not both", first, second);
    Entry& dropped = *pair[before[0] ? 1 : 0];
    assign(dropped.option, {"0"});
  }
}

void OptionTable::check_required() const {
  for (const Entry& entry : entries_)
    check(!entry.option.required || entry.given, "{}{} is required", entry.option.positional ? "" : "--",
          entry.option.name);
}

namespace {

/// As a word of a shell's command line.
std::string in_shell(const std::string& text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// A word for each time that the option is given. What commas would divide is in double quotes.
std::vector<std::string> values_as_words(const Option& option) {
  return std::visit(
      [&](const auto* value) -> std::vector<std::string> {
        using Value = std::remove_cvref_t<decltype(*value)>;
        if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          std::vector<std::string> words = *value;
          for (std::string& word : words)
            if (option.divided && word.find_first_of(",\"") != std::string::npos) word = quoted_cell(word);
          return words;
        } else {
          return {fmt::format("{}", *value)};
        }
      },
      option.target);
}

}  // namespace

std::string OptionTable::to_toml() const {
  std::string text;
  for (const Entry& entry : entries_)
    if (entry.option.saved) text += fmt::format("{} = {}\n", entry.option.name, value_as_toml(entry.option));
  return text;
}

std::string OptionTable::to_command() const {
  std::string text = "fokker " + command_;
  for (const Entry& entry : entries_) {
    if (!entry.option.saved || value_as_toml(entry.option) == entry.usual) continue;
    const std::string name = "--" + entry.option.name;
    if (std::holds_alternative<bool*>(entry.option.target))
      text += " " + name;
    else
      for (const std::string& value : values_as_words(entry.option))
        text += (entry.option.positional ? "" : " " + name) + " " + in_shell(value);
  }
  return text;
}

std::vector<Option> OptionTable::options() const {
  std::vector<Option> all;
  for (const Entry& entry : entries_) all.push_back(entry.option);
  return all;
}

bool OptionTable::has(const std::string& name) const {
  return const_cast<OptionTable*>(this)->find(name) != nullptr;
}

const std::string& OptionTable::text(const std::string& name) const {
  const auto* text = target_of<std::string>(at(name).option);
  check(text != nullptr, "{}: {} is no text", command_, name);
  return *text;
}

bool OptionTable::changed(const std::string& name) const {
  const Entry& entry = at(name);
  return value_as_toml(entry.option) != entry.usual;
}

}  // namespace fokker::cli
