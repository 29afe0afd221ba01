#include "protocol/json.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>

namespace ringlog::protocol {

void append_json(std::string& target, std::string_view text) {
  target += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        target += "\\\"";
        break;
      case '\\':
        target += "\\\\";
        break;
      case '\b':
        target += "\\b";
        break;
      case '\f':
        target += "\\f";
        break;
      case '\n':
        target += "\\n";
        break;
      case '\r':
        target += "\\r";
        break;
      case '\t':
        target += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          target += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        } else {
          target += c;
        }
    }
  }
  target += '"';
}

void append_json(std::string& target, bytes_view bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  target += '"';
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t group = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = (bits << 8) | (k < group ? static_cast<std::uint32_t>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      target += k <= group ? digits[(bits >> (18 - 6 * k)) & 0x3f] : '=';
    }
  }
  target += '"';
}

void append_json(std::string& target, double value) {
  if (std::isfinite(value)) {
    const std::string text = fmt::format("{}", value);
    target += text;
    if (text.find_first_of(".e") == std::string::npos) target += ".0";
  } else {
    target += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

}  // namespace ringlog::protocol
