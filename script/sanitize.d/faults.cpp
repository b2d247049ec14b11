// A program with faults, each made when it is named: script/sanitize --self-test expects a report of each.
#include <atomic>
#include <climits>
#include <cstdio>
#include <string_view>
#include <thread>

template <typename Counter>
int count_in_two_threads() {
  Counter counter = 0;
  const auto add = [&] {
    for (int i = 0; i < 1000; ++i) counter = counter + 1;
  };
  std::thread first(add), second(add);
  first.join();
  second.join();
  return counter;
}

int main(int arguments, char** values) {
  const std::string_view fault = arguments > 1 ? values[1] : "";
  auto* numbers = new int[4]();
  int* volatile kept = numbers;
  int result = 0;
  if (fault == "race") result = count_in_two_threads<int>();
  if (fault == "no race") result = count_in_two_threads<std::atomic<int>>();
  if (fault == "bounds") result = kept[arguments + 2];
  if (fault == "overflow") result = INT_MAX - 2 + arguments + static_cast<int>(fault.size());
  if (fault == "leak") kept = numbers = nullptr;
  delete[] numbers;
  std::printf("%d\n", result);
}
