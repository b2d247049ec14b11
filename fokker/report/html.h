#pragma once
#include <string>
#include <string_view>

namespace fokker::report {

/// Text as it stands between tags or in a quoted attribute: & < > and quotes as entities, bytes that are not
/// UTF-8 and control characters replaced. Line breaks stay.
std::string escape(std::string_view text);

/// As `escape`, with the simple mathematics of a label (plot::parse_label) as <sub> and <sup>: p_t, x_{t-1}.
std::string escape_with_mathematics(std::string_view text);

/// The address of a link, escaped. Argument error unless it is a relative path, #place, http: or https:, so
/// that no address can run a script.
std::string safe_address(const std::string& address);

/// The source of a picture, escaped: a data: URI of an image, or a path relative to the page.
std::string safe_source(const std::string& source);

/// A hash as a Content-Security-Policy names it: 'sha256-...'.
std::string policy_hash(std::string_view content);

}  // namespace fokker::report
