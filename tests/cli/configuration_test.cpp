// Options: what is read, what is refused, and what a saved configuration gives back.
#include <random>

#include "cli/inside.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

using cli::CommandLine;
using cli::Option;
using cli::OptionTable;
using Words = std::vector<std::string>;

class CliConfiguration : public CliInside {
 protected:
  static int command(const Words& words) {
    CommandLine line;
    add_commands(line);
    return line.run(words);
  }
  static void expect_refused(const Words& words, ErrorKind kind, const std::string& text) {
    expect_error([&] { command(words); }, kind, text);
  }
};

/// Texts made of what has a meaning to a shell, to TOML, to a list, or to a reader of numbers.
class Texts {
 public:
  explicit Texts(uint32_t seed) : engine_(seed) {}
  size_t below(size_t n) { return engine_() % n; }
  std::string text() {
    static const Words pieces = {"007",        "1e3", "0x10", "-1", "--n",  "true", "inf",     "1.0",
                                 "2020-01-01", "a",   "b",    "\"", "'",    "\\",   ",",       "=",
                                 "#",          "[",   "]",    "{",  "}",    "\n",   "\r\n",    "\t",
                                 " ",          "é",   "日",   "😀",  "\x01", "\x7f", "$",       "%",
                                 "\"\"",       "'''", ":",    ".",  "/",    "_",    "\\u0041", "1_000"};
    std::string text;
    for (size_t i = below(5); i > 0; --i) text += pieces[below(pieces.size())];
    return text;
  }
  uint64_t bits() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

void set_at_random(const Option& option, Texts& random) {
  if (auto* const* text = std::get_if<std::string*>(&option.target)) {
    **text = random.text();
    if (option.required) **text += 'x';
  } else if (auto* const* list = std::get_if<Words*>(&option.target)) {
    (*list)->clear();
    for (size_t i = random.below(4); i > 0; --i) (*list)->push_back(random.text());
  } else if (auto* const* whole = std::get_if<int64_t*>(&option.target)) {
    **whole = static_cast<int64_t>(random.bits() >> random.below(64));
  } else if (auto* const* seed = std::get_if<uint64_t*>(&option.target)) {
    **seed = random.bits() | uint64_t{random.below(2)} << 63;
  } else if (auto* const* flag = std::get_if<bool*>(&option.target)) {
    **flag = random.below(2) == 1;
  } else {
    double value = NAN;
    while (!std::isfinite(value)) value = std::bit_cast<double>(random.bits());
    *std::get<double*>(option.target) = value;
  }
}

/// The value as it is written on the command line, once for each item of a list.
Words written(const Option& option) {
  if (auto* const* text = std::get_if<std::string*>(&option.target)) return {**text};
  if (auto* const* whole = std::get_if<int64_t*>(&option.target)) return {std::to_string(**whole)};
  if (auto* const* seed = std::get_if<uint64_t*>(&option.target)) return {std::to_string(**seed)};
  if (auto* const* real = std::get_if<double*>(&option.target)) return {fmt::format("{}", **real)};
  if (auto* const* flag = std::get_if<bool*>(&option.target)) return {**flag ? "true" : "false"};
  Words items;
  for (std::string item : *std::get<Words*>(option.target)) {
    for (size_t at = 0; option.divided && (at = item.find('"', at)) != std::string::npos; at += 2)
      item.insert(at, 1, '"');
    items.push_back(option.divided ? '"' + item + '"' : item);
  }
  return items;
}

void keep_one_of_alternatives(OptionTable& table) {
  for (const Option& option : table.options())
    if (option.name == "minutes") *std::get<double*>(option.target) = 0;
}

TEST_F(CliConfiguration, EveryOptionOfEveryCommandComesBackFromAFileAndFromTheCommandLine) {
  Texts random(11);
  CommandLine names;
  add_commands(names);
  size_t values = 0;
  for (const std::string& name : names.commands())
    for (int round = 0; round < 25; ++round) {
      CommandLine given, read, typed;
      for (CommandLine* line : {&given, &read, &typed}) add_commands(*line);
      OptionTable& table = given.options(name);
      for (const Option& option : table.options())
        if (option.saved) set_at_random(option, random);
      keep_one_of_alternatives(table);
      write("c.toml", table.to_toml());
      read.options(name).read_file("c.toml");
      ASSERT_EQ(read.options(name).to_toml(), table.to_toml()) << name;
      const auto before = table.options(), after = read.options(name).options();
      Words arguments;
      for (size_t i = 0; i < before.size(); ++i) {
        if (!before[i].saved) continue;
        ASSERT_EQ(written(after[i]), written(before[i])) << name << " " << before[i].name;
        for (const std::string& value : written(before[i]))
          arguments.push_back("--" + before[i].name + "=" + value);
        ++values;
      }
      // An empty list cannot be typed.
      typed.options(name).read_arguments(arguments);
      const auto again = typed.options(name).options();
      for (size_t i = 0; i < before.size(); ++i)
        if (before[i].saved && !written(before[i]).empty()) {
          ASSERT_EQ(written(again[i]), written(before[i])) << name << " " << before[i].name;
        }
    }
  EXPECT_GT(values, 1000u);
}

TEST_F(CliConfiguration, EveryNumberOfEveryCommandIsReadByOneParser) {
  const Words whole = {"99999999999999999999999",
                       "1e23",
                       "9223372036854775808",
                       "0x10",
                       "nan",
                       "inf",
                       "1.5",
                       "5steps",
                       "",
                       " 5",
                       "1,5",
                       "--n"};
  const Words real = {"nan", "inf", "-inf", "1e999", "1e-999", "0x1p3", "1,5", "1e", "", " 1", "0.5x"};
  const Words seeds = {"-1", "18446744073709551616", "99999999999999999999999", "1e23", "0x10", "", "nan"};
  CommandLine names;
  add_commands(names);
  size_t tried = 0;
  const auto expect_all_refused = [&](const std::string& name, const Option& option, const Words& texts) {
    for (const std::string& text : texts) {
      CommandLine line;
      add_commands(line);
      ++tried;
      expect_error(
          [&] {
            line.options(name).read_arguments({"--" + option.name, text});
          },
          ErrorKind::argument, option.name + ": expected a");
      write("c.toml", option.name + " = '" + text + "'\n");
      expect_error([&] { line.options(name).read_file("c.toml"); }, ErrorKind::input,
                   "c.toml: line 1: " + option.name + ": expected a");
    }
  };
  for (const std::string& name : names.commands())
    for (const Option& option : names.options(name).options()) {
      if (std::holds_alternative<int64_t*>(option.target)) expect_all_refused(name, option, whole);
      if (std::holds_alternative<double*>(option.target)) expect_all_refused(name, option, real);
      if (std::holds_alternative<uint64_t*>(option.target)) expect_all_refused(name, option, seeds);
    }
  EXPECT_GT(tried, 500u);
}

TEST_F(CliConfiguration, ListsInSpecsAndOptionsAreReadByItToo) {
  const Words sample = {"sample", "--target", "two-modes", "--n", "2", "--out", "s.npy", "--quiet"};
  const auto refused = [&](const std::string& option, const std::string& value, const std::string& text) {
    Words words = sample;
    words.insert(words.end(), {option, value});
    expect_refused(words, ErrorKind::argument, text);
  };
  refused("--process", "ddpm:steps=1e30", "steps: expected a whole number");
  refused("--process", "vp:beta_min=nan", "beta_min: expected a number");
  refused("--process", "vp:beta_min=1,beta_min=2", "given twice");
  refused("--grid=1,0.5,0x0", "--process=vp", "grid: expected a number");
  refused("--threads", "4294967297", "threads: expected 0 (all cores) to 1024");
  refused("--device", "cuda:4294967296", "device");
  refused("--steps", "20000000", "expected 1 to 10000000 steps but received 20000000");
  EXPECT_FALSE(fs::exists("s.npy"));
}

TEST_F(CliConfiguration, SeedsHaveSixtyFourBits) {
  const auto draw = [&](const std::string& seed) {
    command({"sample", "--target", "two-modes", "--n", "3", "--out", "s.npy", "--seed", seed, "--quiet"});
    return load_npy("s.npy");
  };
  std::vector<Tensor> drawn;
  for (const char* seed : {"0", "1", "4294967297", "9223372036854775808", "18446744073709551615"})
    drawn.push_back(draw(seed));
  for (size_t i = 0; i < drawn.size(); ++i)
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(at::equal(drawn[i], drawn[j])) << i << j;
  // Through the configuration as well: 2^64 - 1 is beyond TOML's whole numbers.
  command({"sample", "--config", "s.npy.toml", "--out", "again.npy", "--quiet"});
  EXPECT_TRUE(at::equal(load_npy("again.npy"), drawn.back()));
}

TEST_F(CliConfiguration, ARunWithAnOddNameIsRepeatedByItsConfiguration) {
  for (const std::string name :
       {"007.npy", "1e3.npy", "a\\b.npy", "ü, \"x\" = 'y' #.npy", "new\nline.npy", "-n.npy"}) {
    command({"sample", "--target", "two-modes", "--n", "3", "--out", name, "--seed", "5", "--quiet"});
    const Tensor first = load_npy(name);
    fs::remove(name);
    command({"sample", "--config", name + ".toml", "--quiet"});
    ASSERT_TRUE(fs::exists(name)) << name;
    EXPECT_TRUE(at::equal(load_npy(name), first)) << name;
  }
}

TEST_F(CliConfiguration, TheCommandLineWinsOverTheConfiguration) {
  write("c.toml", "run = \"from-the-file\"\nn = 3\nout = \"x.csv\"\n");
  expect_refused({"sample", "--config", "c.toml"}, ErrorKind::input, "from-the-file: no such run folder");
  expect_refused({"sample", "typed", "--config", "c.toml"}, ErrorKind::input, "typed: no such run folder");
  expect_refused({"sample", "--config=c.toml", "--", "-odd"}, ErrorKind::input, "-odd: no such run folder");
  // A folder may have the name of a command.
  expect_refused({"sample", "train", "--config", "c.toml"}, ErrorKind::input, "train: no such run folder");
}

TEST_F(CliConfiguration, UsageErrorsNameTheOption) {
  expect_refused({"trian"}, ErrorKind::argument, "unknown command 'trian'; valid names: train, sample");
  expect_refused({"sample", "--nonsense"}, ErrorKind::argument, "no option --nonsense");
  expect_refused({"sample", "--n"}, ErrorKind::argument, "n: expected a value after --n");
  expect_refused({"sample", "--n", "3", "--n", "4"}, ErrorKind::argument, "n: it was given twice");
  expect_refused({"sample", "a", "b", "--out", "x.csv"}, ErrorKind::argument, "'b' was not expected");
  expect_refused({"sample", "--target", "two-modes"}, ErrorKind::argument, "--out is required");
  expect_refused({"sample", "--target", "two-modes", "--out", ""}, ErrorKind::argument,
                 "out: expected a value");
  expect_refused({"train", "--data", "d.csv", "--out", "r", "--columns", "\"a,b"}, ErrorKind::argument,
                 "columns: a double quote is not closed");
  write("c.toml", "target = \"two-modes\"\nm = 3\n");
  expect_refused({"sample", "--out", "x.csv", "--config", "c.toml"}, ErrorKind::input,
                 "c.toml: line 2: sample has no option 'm'");
  write("c.toml", "n = 1\n[process]\nname = 'vp'\n");
  expect_refused({"sample", "--out", "x.csv", "--config", "c.toml"}, ErrorKind::input,
                 "expected a string, number");
}

TEST_F(CliConfiguration, AListHoldsCommasInQuotes) {
  using cli::split_list;
  EXPECT_EQ(split_list("l", "a,b"), (Words{"a", "b"}));
  EXPECT_EQ(split_list("l", "\"height, cm\",w,\"say \"\"x\"\"\""), (Words{"height, cm", "w", "say \"x\""}));
  EXPECT_EQ(split_list("l", "a,,b,"), (Words{"a", "b"}));
  EXPECT_EQ(split_list("l", "\"\",a"), (Words{"", "a"}));
  EXPECT_EQ(split_list("l", "a\"b"), (Words{"a\"b"}));
  EXPECT_THROW(split_list("l", "\"a\"b"), Error);
}

// What a hand wrote: texts are taken as they stand, numbers in TOML's own forms.
TEST_F(CliConfiguration, ReadsWhatAHandWrites) {
  write("c.toml",
        "target = 'two-modes' # a comment\nlabel = 1.0\nseed = 0x10\nn = 1_000\nguidance = +2\n"
        "grid = \"uniform\"\nclip = 1e1\n");
  CommandLine line;
  add_commands(line);
  OptionTable& table = line.options("sample");
  table.read_file("c.toml");
  EXPECT_EQ(table.text("label"), "1.0");
  EXPECT_THAT(table.to_toml(), HasSubstr("seed = 16\n"));
  EXPECT_THAT(table.to_toml(), HasSubstr("n = 1000\n"));
  EXPECT_THAT(table.to_toml(), HasSubstr("guidance = 2\n"));
  EXPECT_THAT(table.to_toml(), HasSubstr("clip = 10\n"));
}

}  // namespace
}  // namespace fokker
