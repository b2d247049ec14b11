// A program says `using namespace fokker` and has functions of its own with names that a library is apt to
// take. Each is called without a qualifier: it must mean the program's.
#include <fokker/course/course.h>
#include <fokker/fokker.h>
#include <fokker/plot/plot.h>

#include <cstdio>
#include <string>
#include <vector>

// No macro of the vector library, and none of the library's own checks, may come along.
#ifdef HWY_HIGHWAY_H_
#error "the installed headers include <hwy/highway.h>"
#endif

using namespace fokker;

int calls = 0;

template <typename... Arguments>
void check(bool, const char*, Arguments&&...) {
  ++calls;
}
template <typename... Arguments>
void check_input(bool, const char*, Arguments&&...) {
  ++calls;
}
template <typename... Arguments>
void fail(ErrorKind, const char*, Arguments&&...) {
  ++calls;
}
template <typename Work>
void count_rows_from(int64_t, Work&&) {
  ++calls;
}
void message(const std::string&) {
  ++calls;
}
void message_once(const std::string&) {
  ++calls;
}
void warn(const std::string&) {
  ++calls;
}
void warn_once(const std::string&) {
  ++calls;
}
void set_quiet(bool) {
  ++calls;
}
bool quiet() {
  return ++calls > 0;
}
int threads() {
  return ++calls;
}
const char* version() {
  return ++calls, "";
}
std::string shown(std::string_view) {
  return ++calls, "";
}
std::string join(const std::vector<std::string>&) {
  return ++calls, "";
}
std::vector<std::string> split(std::string_view) {
  return ++calls, std::vector<std::string>();
}
void every(int64_t) {
  ++calls;
}
std::string base64(std::string_view) {
  return ++calls, "";
}
std::string read_file(const std::string&) {
  return ++calls, "";
}
Tensor allocate(const std::string&, IntArrayRef, at::ScalarType) {
  return ++calls, Tensor();
}
std::string describe_bytes(uint64_t) {
  return ++calls, "";
}
int64_t parse_integer(std::string_view, std::string_view) {
  return ++calls;
}
void run_jobs(size_t, int, const std::function<void(size_t)>&) {
  ++calls;
}
Json machine() {
  return ++calls, Json();
}
template <typename Work>
void guarded(Work&&) {
  ++calls;
}

int main() {
  const std::string text = "text";
  check(true, "{}", 1);
  check_input(true, "{}", 1);
  fail(ErrorKind::failed, "{}", 1);
  count_rows_from(0, [] {});
  message(text);
  message_once(text);
  warn(text);
  warn_once(text);
  set_quiet(true);
  quiet();
  threads();
  version();
  shown(text);
  join({text});
  split(text);
  every(3);
  base64(text);
  read_file(text);
  allocate(text, {1}, at::kFloat);
  describe_bytes(1);
  parse_integer(text, text);
  run_jobs(0, 1, [](size_t) {});
  machine();
  guarded([] {});
  std::printf("names: %d functions of the program's own\n", calls);
  return calls == 24 ? 0 : 1;
}
