#pragma once
#include "cli/option/command.h"
#include "fokker/data/load.h"

namespace fokker::cli {

/// How the files that a command reads are written, and what of them is read: the same options of every
/// command.
struct DataOptions {
  std::string separator = "auto", header = "auto", decimal = "auto", encoding = "utf-8";
  /// As typed: each a name, or several as in a line of CSV.
  std::vector<std::string> columns = {};
  std::string array = {};  ///< of a file with several arrays
  int64_t channels = 0;    ///< of images; 0: as they are
  std::string size = {};   ///< of images, as typed: 32 or WIDTHxHEIGHT
  bool flip = false;       ///< mirror images too

  std::vector<std::string> column_names() const;
  /// Argument errors name the option and what it takes.
  LoadOptions load_options() const;
  /// For the record of a run, and back: what it does not say is as untouched.
  Json to_json() const;
  static DataOptions from_json(const Json& json);
  /// Those of `other` where they are not given here.
  DataOptions or_else(const DataOptions& other) const;
};

/// How a CSV file is written, where it is not as the model's data was.
struct WritingOptions {
  std::string out_separator = "auto", out_header = "auto", out_decimal = "auto", out_encoding = "auto";

  /// Argument errors name the option and what it takes.
  CsvFormat or_else(const CsvFormat& format) const;
};
void describe_writing(Command& command, WritingOptions& options);

constexpr const char* image_channels_help =
    "Channels that images are converted to: 1 grey, 3 colour (alpha laid over white), 2 and 4 with alpha";
constexpr const char* table_columns_help =
    "Columns of a table to use, by name (default: all); a name that holds a comma is quoted: 'a,\"b,c\"'";
void describe_data(Command& command, DataOptions& options, const std::string& channels = image_channels_help,
                   const std::string& columns = table_columns_help);
/// What `describe_data` describes, without dashes.
const std::vector<std::string>& data_option_names();

/// Reads a file and says what was decided while reading it.
Dataset read_data_file(const std::string& file, const LoadOptions& options);

}  // namespace fokker::cli
