#include "storage/file_names.h"

#include "base/parse.h"

namespace ringlog::storage {

namespace {

constexpr std::size_t offset_digits = 20;
constexpr std::size_t name_bytes_max = 255;  // of a directory entry, on every file system we know

template <typename Integer>
std::optional<Integer> parse_digits(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  return parse_integer<Integer>(text);
}

std::optional<topic_partition> parse_topic_partition(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == name.npos || dash == 0) return std::nullopt;
  const auto partition = parse_digits<std::int32_t>(name.substr(dash + 1));
  if (!partition) return std::nullopt;
  return topic_partition{std::string(name.substr(0, dash)), partition_id_t(*partition)};
}

}  // namespace

std::string segment_file_name(offset_t base, std::string_view suffix) {
  return fmt::format("{:020d}{}", base.value(), suffix);
}

std::optional<offset_t> offset_of_file(std::string_view name) {
  if (name.size() <= offset_digits || name[offset_digits] != '.') return std::nullopt;
  const auto value = parse_digits<std::int64_t>(name.substr(0, offset_digits));
  if (!value) return std::nullopt;
  return offset_t(*value);
}

std::optional<directory_name> parse_directory_name(std::string_view name) {
  directory_kind kind = directory_kind::current;
  if (name.ends_with(suffixes::delete_directory)) {
    kind = directory_kind::deleted;
  } else if (name.ends_with(suffixes::future_directory)) {
    kind = directory_kind::future;
  } else if (name.ends_with(suffixes::stray_directory)) {
    kind = directory_kind::stray;
  }
  if (kind != directory_kind::current) {
    const std::size_t dot = name.rfind('.');
    if (dot == name.npos) return std::nullopt;
    name = name.substr(0, dot);
  }
  const auto parsed = parse_topic_partition(name);
  if (!parsed) return std::nullopt;
  return directory_name{*parsed, kind};
}

std::string renamed_directory(const topic_partition& name, std::string_view unique,
                              std::string_view suffix) {
  const std::string tail = fmt::format("-{}.{}{}", name.partition, unique, suffix);
  const std::size_t room = name_bytes_max - tail.size();
  return name.topic.substr(0, room) + tail;
}

std::string join_path(std::string_view directory, std::string_view name) {
  return fmt::format("{}/{}", directory, name);
}

}  // namespace ringlog::storage
