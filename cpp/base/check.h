#pragma once

#include <fmt/format.h>

#include <string_view>

namespace ringlog {

// Ends the process after writing file, line, condition and message to standard error.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view message);

namespace detail {
template <typename... Values>
[[noreturn]] __attribute__((noinline, cold)) void check_failed_with(const char* file, int line,
                                                                    const char* condition,
                                                                    std::string_view why,
                                                                    const Values&... values) {
  std::string message(why);
  ((message += fmt::format(" {}", values)), ...);
  check_failed(file, line, condition, message);
}
}  // namespace detail

}  // namespace ringlog

// A programmer's error ends the process, in every build: CHECK(begin <= end, "range", begin, end).
// Failures of the outside world (disk, input) are a result<T> instead (base/result.h).
#define CHECK(condition, ...)                        \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::ringlog::detail::check_failed_with(__FILE__, __LINE__, #condition, __VA_ARGS__))
