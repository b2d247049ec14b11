#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fokker/format/model.h"

namespace fokker {

/// What is said of a model of another program that its files do not say. Empty: nothing.
struct ImportOptions {
  std::string key = {};            ///< of a nested checkpoint: where its weights are
  std::string mlp = {};            ///< the layers of a fully connected network: "2-256-256-1,elu,input=x+t"
  std::string process = {};        ///< PROCESS that it was trained on
  std::string predict = {};        ///< what it predicts
  std::string unconditional = {};  ///< of a table of classes: the row that stands for no class
};

/// A model that was read, and what is worth saying about how: what was guessed or is left out.
struct Imported {
  Model model;
  std::vector<std::string> notes = {};
};

/// A way to read models of another program: one line in exchange.cpp, and a function in a room of this
/// folder.
struct ImportFormat {
  std::string name;
  std::string summary;               ///< what is read, for the help
  std::vector<std::string> options;  ///< names of the ImportOptions that it heeds; others are refused
  std::function<bool(const std::filesystem::path&)> recognises;  ///< by name and what is in a folder
  std::function<Imported(const std::filesystem::path&, const ImportOptions&)> read;
};

/// A way to hand models to another program.
struct ExportFormat {
  std::string name;
  std::string summary;
  /// Fills a folder that is empty and put in place when it is whole. Argument error for a model that the
  /// format cannot hold, which names what it cannot.
  std::function<void(const std::filesystem::path& folder, const Model& model)> write;
};

const std::vector<ImportFormat>& import_formats();
const std::vector<ExportFormat>& export_formats();
/// Adds one, ahead of any use of them, by a library that a program may link or not (fokker::onnx). Argument
/// error for a name that is taken.
void add_export_format(ExportFormat format);
std::vector<std::string> export_format_names();

/// Reads a model by the format that recognises the path. Input error where none does, which lists them;
/// argument error for an option that the format does not heed.
Imported import_model(const std::filesystem::path& path, const ImportOptions& options = {});

/// Writes a folder in the format of that name; what was there is replaced when the new one is whole. Argument
/// error for a name that is not one of export_format_names.
void export_model(const std::filesystem::path& folder, const Model& model, const std::string& format);

}  // namespace fokker
