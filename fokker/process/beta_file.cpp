#include "fokker/process/beta_file.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

constexpr size_t most_betas = 1'000'000;

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view separators = ", ;\t\r";
  std::vector<std::string_view> words;
  for (size_t begin = line.find_first_not_of(separators); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(separators, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(separators, end);
  }
  return words;
}

double beta_of(std::string_view word, const std::string& path, size_t line) {
  double value = 0;
  const bool number = parse_number(word, value) == NumberError::none;
  check_input(number && value > 0 && value < 1,
              "{}: line {}: expected a beta strictly between 0 and 1 but received '{}'", path, line,
              shown(word));
  return value;
}

}  // namespace

std::vector<double> read_betas(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<double> betas;
  size_t line = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const auto words = words_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    double ignored = 0;
    const bool heading =
        ++line == 1 && words.size() == 1 && parse_number(words[0], ignored) == NumberError::text;
    if (heading) continue;
    for (const std::string_view word : words) betas.push_back(beta_of(word, path, line));
    check_input(betas.size() <= most_betas, "{}: expected at most {} betas", path, most_betas);
  }
  check_input(!betas.empty(), "{}: expected at least one beta", path);
  return betas;
}

}  // namespace fokker
