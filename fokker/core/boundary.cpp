#include "fokker/core/boundary.h"

#include <c10/util/Exception.h>

#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "fokker/core/check.h"

namespace fokker::detail {
namespace {

/// One line, whatever the library underneath put into its message.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

/// libtorch has no type of its own for it.
bool is_out_of_memory(std::string_view text) {
  return text.find("DefaultCPUAllocator") != text.npos || text.find("out of memory") != text.npos;
}

}  // namespace

void throw_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    const std::string_view text = first_line(error.what_without_backtrace());
    if (is_out_of_memory(text)) fail(ErrorKind::resource, "out of memory");
    fail(ErrorKind::failed, "libtorch: {}", text);
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::resource, "out of memory");
  } catch (const std::length_error&) {
    fail(ErrorKind::resource, "out of memory: more was asked for than a container can hold");
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::input, "JSON: {}", first_line(error.what()));
  } catch (const std::filesystem::filesystem_error& error) {
    fail(ErrorKind::resource, "{}: {}", error.path1().string(), error.code().message());
  } catch (const std::system_error& error) {
    fail(ErrorKind::resource, "{}", first_line(error.what()));
  }
}

}  // namespace fokker::detail
