#include "base/logger_set.h"

#include <algorithm>
#include <array>

namespace ringlog {
namespace {

constexpr std::array<std::string_view, 6> level_names = {"TRACE", "DEBUG", "INFO",
                                                         "WARN",  "ERROR", "FATAL"};

// The most silent one that lets it pass.
logger_level level_of(log_level message) {
  switch (message) {
    case log_level::debug:
      return logger_level::debug;
    case log_level::info:
      return logger_level::info;
    case log_level::warning:
      return logger_level::warn;
    case log_level::error:
      break;
  }
  return logger_level::error;
}

}  // namespace

std::string_view name_of(logger_level level) {
  return level_names[static_cast<std::size_t>(level)];
}

std::optional<logger_level> parse_logger_level(std::string_view name) {
  const auto found = std::ranges::find(level_names, name);
  if (found == level_names.end()) return std::nullopt;
  return static_cast<logger_level>(found - level_names.begin());
}

void logger_set::logger::write(log_level of, std::string_view message) {
  if (level_of(of) >= level.load(std::memory_order_relaxed)) target_.write(of, message);
}

logger_set::logger_set(log_sink& target, log_level least)
    : target_(target),
      root_(all_.try_emplace(std::string(logger_names::root), target, level_of(least))
                .first->second) {}

log_sink& logger_set::of(std::string_view name) {
  const std::lock_guard guard(mutex_);
  return all_.try_emplace(std::string(name), target_, root_.level.load()).first->second;
}

std::map<std::string, logger_level> logger_set::levels() const {
  const std::lock_guard guard(mutex_);
  std::map<std::string, logger_level> levels;
  for (const auto& [name, one] : all_) levels.emplace(name, one.level.load());
  return levels;
}

bool logger_set::set_level(std::string_view name, std::optional<logger_level> level) {
  const std::lock_guard guard(mutex_);
  const auto found = all_.find(name);
  if (found == all_.end()) return false;
  logger& changed = found->second;
  changed.is_own = level.has_value();
  changed.level = level.value_or(root_.level.load());
  if (&changed != &root_) return true;
  for (auto& [other, one] : all_) {
    if (!one.is_own) one.level = root_.level.load();
  }
  return true;
}

}  // namespace ringlog
