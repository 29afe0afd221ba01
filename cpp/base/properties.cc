#include "base/properties.h"

#include <charconv>
#include <cstdint>

namespace ringlog {
namespace {

constexpr std::string_view blanks = " \t\f";

std::string_view without_leading_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin == text.npos ? std::string_view() : text.substr(begin);
}

std::string_view take_natural_line(std::string_view& text) {
  const std::size_t end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  const bool two = end != text.npos && text.substr(end).starts_with("\r\n");
  text = end == text.npos ? std::string_view() : text.substr(end + (two ? 2 : 1));
  return line;
}

bool goes_on(std::string_view line) {
  const std::size_t last_other = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last_other == line.npos ? 0 : last_other + 1);
  return backslashes % 2 == 1;
}

// A line with its continuations; blank lines and comments are skipped.
std::string take_logical_line(std::string_view& text) {
  while (!text.empty()) {
    std::string_view part = without_leading_blanks(take_natural_line(text));
    if (part.empty() || part[0] == '#' || part[0] == '!') continue;
    std::string line(part);
    while (goes_on(line)) {
      line.pop_back();
      if (text.empty()) break;
      line += without_leading_blanks(take_natural_line(text));
    }
    return line;
  }
  return {};
}

void append_utf8(std::string& target, std::uint32_t code) {
  if (code < 0x80) {
    target.push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    target.push_back(static_cast<char>(0xc0 | code >> 6));
  } else {
    target.push_back(static_cast<char>(0xe0 | code >> 12));
    target.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
  }
  target.push_back(static_cast<char>(0x80 | (code & 0x3f)));
}

// Appends what the escape sequence at the front of `rest` (after its backslash) means; returns the
// characters used.
std::size_t append_escape(std::string& target, std::string_view rest) {
  if (rest.empty()) return 0;
  switch (rest[0]) {
    case 't':
      target.push_back('\t');
      return 1;
    case 'n':
      target.push_back('\n');
      return 1;
    case 'r':
      target.push_back('\r');
      return 1;
    case 'f':
      target.push_back('\f');
      return 1;
    case 'u': {
      std::uint32_t code = 0;
      const char* end = rest.data() + 5;
      if (rest.size() >= 5 && std::from_chars(rest.data() + 1, end, code, 16).ptr == end) {
        append_utf8(target, code);
        return 5;
      }
      break;
    }
    default:
      break;
  }
  target.push_back(rest[0]);
  return 1;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      at += append_escape(plain, text.substr(at + 1));
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

std::size_t end_of_key(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == '=' || line[at] == ':' || blanks.find(line[at]) != blanks.npos) {
      return at;
    }
  }
  return line.size();
}

}  // namespace

std::map<std::string, std::string> parse_properties(std::string_view text) {
  std::map<std::string, std::string> properties;
  for (;;) {
    const std::string line = take_logical_line(text);
    if (line.empty()) return properties;
    const std::size_t key_end = end_of_key(line);
    std::string_view value = without_leading_blanks(std::string_view(line).substr(key_end));
    if (value.starts_with('=') || value.starts_with(':')) {
      value = without_leading_blanks(value.substr(1));
    }
    properties[unescaped(std::string_view(line).substr(0, key_end))] = unescaped(value);
  }
}

}  // namespace ringlog
