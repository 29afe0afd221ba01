#include "app/tools/offset_reset.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <map>

namespace ringlog::app {
namespace {

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;

template <typename Number>
result<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc() && end == text.data() + text.size()) return value;
  return make_error(error_code::invalid_argument, "'{}' is no number", text);
}

result<offsets_by_partition> read_offsets(const std::string& path) {
  std::ifstream lines(path);
  if (!lines) return make_error(error_code::not_found, "{} cannot be read", path);
  offsets_by_partition found;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const auto last = line.rfind(',');
    const auto middle = last == std::string::npos ? last : line.rfind(',', last - 1);
    if (middle == std::string::npos || middle == 0) {
      return make_error(error_code::invalid_argument, "{}: '{}' is not TOPIC,PARTITION,OFFSET",
                        path, line);
    }
    const std::string_view text = line;
    TRY_ASSIGN(const auto number,
               parse_number<std::int32_t>(text.substr(middle + 1, last - middle - 1)));
    TRY_ASSIGN(const auto at, parse_number<std::int64_t>(text.substr(last + 1)));
    found.emplace_back(topic_partition{line.substr(0, middle), partition_id_t(number)},
                       offset_t(at));
  }
  return found;
}

// Before the partition's ends are looked at. None: nothing was committed.
result<std::optional<offset_t>> wanted_offset(const reset_arguments& given,
                                              const topic_partition& partition,
                                              const std::map<topic_partition, offset_t>& committed,
                                              std::optional<std::int64_t> timestamp, offset_t start,
                                              offset_t end, cluster& target) {
  if (given.to_earliest) return std::optional(start);
  if (given.to_latest) return std::optional(end);
  if (given.to_offset) return std::optional(offset_t(*given.to_offset));
  if (timestamp) {
    TRY_ASSIGN(const auto found, target.offset(partition, *timestamp));
    return std::optional(found.offset == no_offset ? end : found.offset);
  }
  const auto current = committed.find(partition);
  if (current == committed.end()) {
    if (given.shift_by) return std::optional<offset_t>();
    return std::optional(end);
  }
  return std::optional(offset_t(current->second.value() + given.shift_by.value_or(0)));
}

}  // namespace

result<std::int64_t> parse_datetime(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  const auto wrong = [&] {
    return make_error(error_code::invalid_argument,
                      "'{}' is no time such as 2026-03-01T12:00:00.000", text);
  };
  if (rest == nullptr) return wrong();
  std::int64_t milliseconds_ = 0;
  if (*rest == '.') {
    std::int64_t unit = 100;
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) {
      milliseconds_ += (*rest - '0') * unit;
    }
  }
  std::int64_t ahead_ms = 0;  // of UTC
  if (*rest == '+' || *rest == '-') {
    std::tm zone{};
    const std::int64_t sign = *rest == '+' ? 1 : -1;
    const char* end = ::strptime(rest + 1, "%H:%M", &zone);
    if (end == nullptr) return wrong();
    ahead_ms = sign * (zone.tm_hour * hour_ms + zone.tm_min * minute_ms);
    rest = end;
  } else if (*rest == 'Z') {
    ++rest;
  }
  if (*rest != '\0') return wrong();
  return static_cast<std::int64_t>(::timegm(&parts)) * second_ms + milliseconds_ - ahead_ms;
}

result<std::int64_t> parse_duration(const std::string& text) {
  const auto wrong = [&] {
    return make_error(error_code::invalid_argument, "'{}' is no duration such as P7D or PT1H30M",
                      text);
  };
  if (text.size() < 3 || text[0] != 'P') return wrong();
  std::int64_t total = 0;
  bool in_time = false;
  for (std::size_t at = 1; at < text.size();) {
    if (text[at] == 'T' && !in_time) {
      in_time = true;
      ++at;
      continue;
    }
    const auto unit_at = text.find_first_not_of("0123456789", at);
    if (unit_at == std::string::npos || unit_at == at) return wrong();
    TRY_ASSIGN(const auto count,
               parse_number<std::int32_t>(std::string_view(text).substr(at, unit_at - at)));
    const char unit = text[unit_at];
    if (!in_time && unit == 'D') {
      total += count * day_ms;
    } else if (in_time && unit == 'H') {
      total += count * hour_ms;
    } else if (in_time && unit == 'M') {
      total += count * minute_ms;
    } else if (in_time && unit == 'S') {
      total += count * second_ms;
    } else {
      return wrong();
    }
    at = unit_at + 1;
  }
  return total;
}

result<std::vector<topic_partition>> partitions_of(const std::vector<std::string>& texts,
                                                   cluster& target) {
  std::vector<topic_partition> found;
  for (const std::string& text : texts) {
    const auto colon = text.find(':');
    const std::string name = text.substr(0, colon);
    TRY_ASSIGN(const auto topic, target.topic(name));
    if (colon == std::string::npos) {
      for (const auto& each : topic.partitions) found.push_back({name, each.partition});
      continue;
    }
    for (std::size_t at = colon + 1; at <= text.size();) {
      const auto comma = std::min(text.find(',', at), text.size());
      TRY_ASSIGN(const auto number,
                 parse_number<std::int32_t>(std::string_view(text).substr(at, comma - at)));
      found.push_back({name, partition_id_t(number)});
      at = comma + 1;
    }
  }
  return found;
}

result<offsets_by_partition> new_offsets(const reset_arguments& given, const std::string& group,
                                         const std::vector<topic_partition>& partitions,
                                         std::int64_t now_ms, cluster& target) {
  std::optional<std::int64_t> timestamp;
  if (!given.to_datetime.empty()) {
    TRY_ASSIGN(timestamp, parse_datetime(given.to_datetime));
  } else if (!given.by_duration.empty()) {
    TRY_ASSIGN(const auto duration, parse_duration(given.by_duration));
    timestamp = now_ms - duration;
  }
  offsets_by_partition from_file;
  if (!given.from_file.empty()) {
    TRY_ASSIGN(from_file, read_offsets(given.from_file));
  }
  std::map<topic_partition, offset_t> committed;
  TRY_ASSIGN(const auto fetched, target.committed(group));
  for (const auto& [partition, position] : fetched) {
    if (position) committed.emplace(partition, position->offset);
  }
  offsets_by_partition found;
  const auto settle = [&](const topic_partition& partition,
                          std::optional<offset_t> fixed) -> status {
    TRY_ASSIGN(const auto start, target.offset(partition, broker::earliest_timestamp));
    TRY_ASSIGN(const auto end, target.offset(partition, broker::latest_timestamp));
    if (!fixed) {
      TRY_ASSIGN(fixed, wanted_offset(given, partition, committed, timestamp, start.offset,
                                      end.offset, target));
    }
    if (fixed) found.emplace_back(partition, std::clamp(*fixed, start.offset, end.offset));
    return {};
  };
  for (const auto& [partition, at] : from_file) TRY(settle(partition, at));
  if (given.from_file.empty()) {
    for (const auto& partition : partitions) TRY(settle(partition, std::nullopt));
  }
  return found;
}

}  // namespace ringlog::app
