#include "fokker/report/html.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/encoding.h"
#include "fokker/plot/figure/label.h"

namespace fokker::report {
namespace {

/// Whether the address names a scheme, as in "javascript:": a colon before any slash, question mark or hash.
bool has_scheme(std::string_view address) {
  const size_t colon = address.find_first_of(":/?#");
  return colon != std::string_view::npos && address[colon] == ':';
}

/// A path below the page's own folder, of printable characters.
bool is_relative(std::string_view path) {
  const bool printable = std::none_of(path.begin(), path.end(), [](unsigned char c) { return c <= ' '; });
  return !path.empty() && printable && path[0] != '/' && path[0] != '\\' && !has_scheme(path);
}

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (start > 0) escaped += '\n';
    escaped += plot::escape_xml(plot::clean_text(text.substr(start, end - start)));
    start = end + 1;
  }
  return escaped;
}

std::string escape_with_mathematics(std::string_view text) {
  std::string markup;
  for (const plot::TextRun& run : plot::parse_label(text)) {
    const char* tag = run.level == plot::TextRun::Level::subscript     ? "sub"
                      : run.level == plot::TextRun::Level::superscript ? "sup"
                                                                       : nullptr;
    markup += tag ? fmt::format("<{}>{}</{}>", tag, escape(run.text), tag) : escape(run.text);
  }
  return markup;
}

std::string safe_address(const std::string& address) {
  const bool web = address.starts_with("https://") || address.starts_with("http://");
  check(web || is_relative(address),
        "Page: expected a link to a relative path, #place, http: or https: but received {}", address);
  return escape(address);
}

std::string safe_source(const std::string& source) {
  check(source.starts_with("data:image/") || is_relative(source),
        "Page: expected a picture as a data: URI or a relative path but received {}", source.substr(0, 200));
  return source.starts_with("data:") ? source : escape(source);
}

std::string policy_hash(std::string_view content) {
  const auto digest = sha256(content);
  return fmt::format("'sha256-{}'", base64({reinterpret_cast<const char*>(digest.data()), digest.size()}));
}

}  // namespace fokker::report
