#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// Whether the first of some records holds names.
struct HeaderGuess {
  bool header = false;
  /// What was guessed and how to overrule it, where it might as well be otherwise.
  std::string why_not_sure = {};
};

/// Compares each cell of the first record with those below it.
HeaderGuess guess_header(const std::vector<std::vector<std::string>>& cells, char decimal);

/// What a cell that is no number may be meant as, in brackets; empty where that is not known.
std::string what_it_may_be(std::string_view cell, char decimal);

/// "1,234", "-12,345,678" or "1.234": a whole number whose thousands a character may separate.
bool may_group_thousands(std::string_view cell);

/// An empty name, or what pandas makes of one: "Unnamed: 0".
bool is_unnamed(std::string_view name);

}  // namespace fokker
