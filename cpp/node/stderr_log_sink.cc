#include "node/stderr_log_sink.h"

#include <unistd.h>

#include <array>
#include <string>

namespace ringlog::node {

void stderr_log_sink::write(log_level level, std::string_view message) {
  if (level < least_) return;
  constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
  const std::string line =
      fmt::format("ringlog: {}: {}\n", names[static_cast<std::size_t>(level)], message);
  // Nobody is left to be told when standard error is closed.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace ringlog::node
