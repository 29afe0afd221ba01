#include "model/topic_name.h"

#include <algorithm>

#include "base/limits.h"

namespace ringlog::model {
namespace {

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

status validate_topic_name(std::string_view name) {
  const auto invalid = [](std::string message) {
    return error{error_code::invalid_topic, std::move(message)};
  };
  if (name.empty()) return invalid("Topic name is invalid: the empty string is not allowed");
  if (name == "." || name == "..") {
    return invalid("Topic name is invalid: '.' or '..' is not allowed");
  }
  if (name.size() > static_cast<std::size_t>(limits::topic_name_bytes_max)) {
    return invalid(
        fmt::format("Topic name is invalid: the length of '{}' is longer than the max allowed "
                    "length {}",
                    name, limits::topic_name_bytes_max));
  }
  if (!std::all_of(name.begin(), name.end(), is_legal)) {
    return invalid(
        fmt::format("Topic name is invalid: '{}' contains one or more characters other than ASCII "
                    "alphanumerics, '.', '_' and '-'",
                    name));
  }
  return {};
}

bool is_internal_topic(std::string_view name) {
  return name == group_metadata_topic || name == transaction_state_topic ||
         name == share_group_state_topic;
}

bool has_collision_chars(std::string_view name) {
  return name.find_first_of("._") != std::string_view::npos;
}

bool has_collision(std::string_view left, std::string_view right) {
  const auto unify = [](char c) { return c == '.' ? '_' : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return unify(a) == unify(b); });
}

}  // namespace ringlog::model
