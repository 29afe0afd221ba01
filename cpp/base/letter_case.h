#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace ringlog {

// Text with its letters A to Z made small, or a to z made capitals; other bytes stay as they are,
// whatever the locale. For names that Kafka does not tell apart by their case.
inline std::string lower_case(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return made;
}

inline std::string upper_case(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  return made;
}

}  // namespace ringlog
