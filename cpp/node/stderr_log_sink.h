#pragma once

#include "base/log_sink.h"

namespace ringlog::node {

// Writes "ringlog: warning: MESSAGE" lines to standard error, each in one system call; what is
// below `least` is dropped. Callable from any thread.
class stderr_log_sink final : public log_sink {
 public:
  explicit stderr_log_sink(log_level least = log_level::warning) : least_(least) {}
  void write(log_level level, std::string_view message) override;

 private:
  log_level least_;
};

}  // namespace ringlog::node
