#pragma once

#include <fmt/format.h>
#include <cstdint>
#include <string_view>

namespace ringlog {

enum class log_level : std::uint8_t { debug, info, warning, error };

// Where the library's messages go. Injected with the other outside things; called from any thread.
class log_sink {
 public:
  virtual ~log_sink() = default;
  virtual void write(log_level level, std::string_view message) = 0;

  template <typename... Values>
  void log(log_level level, fmt::format_string<Values...> text, Values&&... values) {
    write(level, fmt::format(text, std::forward<Values>(values)...));
  }
};

// Drops everything.
class null_log_sink final : public log_sink {
 public:
  void write(log_level, std::string_view) override {}
};

}  // namespace ringlog
