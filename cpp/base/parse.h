#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace ringlog {

// The whole of `text` as a decimal integer; nothing when it is none or does not fit.
template <std::integral Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace ringlog
