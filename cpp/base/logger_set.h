#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/log_sink.h"

namespace ringlog {

// Who writes to the log.
namespace logger_names {
inline constexpr std::string_view root = "root";
inline constexpr std::string_view node = "ringlog.node";
inline constexpr std::string_view storage = "ringlog.storage";
inline constexpr std::string_view metadata = "ringlog.metadata";
inline constexpr std::string_view broker = "ringlog.broker";
inline constexpr std::string_view groups = "ringlog.groups";
inline constexpr std::string_view server = "ringlog.server";
}  // namespace logger_names

// By Kafka's names: to log what is as bad as that or worse. No message of ours is a trace or fatal,
// so that trace shows what debug does, and fatal nothing.
enum class logger_level : std::uint8_t { trace, debug, info, warn, error, fatal };

std::string_view name_of(logger_level level);  // "WARN"
std::optional<logger_level> parse_logger_level(std::string_view name);

// The sinks of the parts of a program, in front of its log. Each lets pass what its level says;
// until it is given one of its own that is the root's (Kafka: LoggingController over Log4j).
//
// Any thread. Outlives what of() returned; `target` outlives both.
class logger_set {
 public:
  logger_set(log_sink& target, log_level least);
  logger_set(const logger_set&) = delete;
  logger_set& operator=(const logger_set&) = delete;

  // Made when it is first asked for.
  log_sink& of(std::string_view name);

  // In effect, by name.
  std::map<std::string, logger_level> levels() const;

  // None: as the root, which keeps its own. False: there is no such logger. Acts at once.
  bool set_level(std::string_view name, std::optional<logger_level> level);

 private:
  class logger final : public log_sink {
   public:
    logger(log_sink& target, logger_level inherited) : level(inherited), target_(target) {}
    void write(log_level of, std::string_view message) override;

    std::atomic<logger_level> level;
    bool is_own = false;

   private:
    log_sink& target_;
  };

  log_sink& target_;
  mutable std::mutex mutex_;  // guards what follows, but not the levels of loggers
  std::map<std::string, logger, std::less<>> all_;
  logger& root_;
};

}  // namespace ringlog
