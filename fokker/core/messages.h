#pragma once
#include <string>

/// How the library says something to the program (log.h). Not for public headers, as check.h.
namespace fokker::detail {

void message(const std::string& text);
void warn(const std::string& text);
/// The same, unless that very line was said before: facts about an input that is read several times.
void message_once(const std::string& text);
void warn_once(const std::string& text);

}  // namespace fokker::detail

namespace fokker {
using detail::message;
using detail::message_once;
using detail::warn;
using detail::warn_once;
}  // namespace fokker
