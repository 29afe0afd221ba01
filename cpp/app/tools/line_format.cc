#include "app/tools/line_format.h"

#include <map>
#include <variant>

namespace ringlog::app {
namespace {

// Takes what stands before the separator, and the separator, off the line.
result<std::optional<std::string>> take_part(std::string_view& line, const std::string& separator,
                                             const line_format& format, std::string_view what) {
  const auto end = line.find(separator);
  if (end == std::string_view::npos) {
    if (format.ignore_error) return std::optional<std::string>();
    return make_error(error_code::invalid_argument, "no {} in the line '{}'", what, line);
  }
  std::optional<std::string> part(line.substr(0, end));
  line.remove_prefix(end + separator.size());
  return part;
}

std::optional<std::string> unless_null(std::string_view text, const line_format& format) {
  if (format.null_marker && text == *format.null_marker) return std::nullopt;
  return std::string(text);
}

std::string text_or(const std::optional<bytes_view>& bytes, const std::string& null_literal) {
  return bytes ? to_string(*bytes) : null_literal;
}

using target = std::variant<bool*, std::string*, std::optional<std::string>*>;

status set_in(const std::map<std::string_view, target>& targets, const std::string& name,
              const std::string& value) {
  const auto found = targets.find(name);
  if (found == targets.end()) {
    std::string known;
    for (const auto& [each, ignored] : targets) known += fmt::format(" {}", each);
    return make_error(error_code::invalid_argument, "no property is called '{}'; there are:{}",
                      name, known);
  }
  if (const auto* flag = std::get_if<bool*>(&found->second)) {
    **flag = value == "true";
  } else if (const auto* text = std::get_if<std::string*>(&found->second)) {
    **text = value;
  } else {
    **std::get_if<std::optional<std::string>*>(&found->second) = value;
  }
  return {};
}

}  // namespace

status line_format::set(const std::string& name, const std::string& value) {
  return set_in({{"parse.key", &parse_key},
                 {"parse.headers", &parse_headers},
                 {"ignore.error", &ignore_error},
                 {"key.separator", &key_separator},
                 {"headers.delimiter", &headers_delimiter},
                 {"headers.separator", &headers_separator},
                 {"headers.key.separator", &headers_key_separator},
                 {"null.marker", &null_marker}},
                name, value);
}

result<parsed_line> parse_line(const line_format& format, std::string_view line) {
  parsed_line parsed;
  if (format.parse_headers) {
    TRY_ASSIGN(const auto text, take_part(line, format.headers_delimiter, format, "headers"));
    std::string_view headers = text ? std::string_view(*text) : std::string_view();
    if (text && !unless_null(headers, format)) headers = {};
    while (!headers.empty()) {
      std::string_view header = headers.substr(0, headers.find(format.headers_separator));
      headers.remove_prefix(
          std::min(header.size() + format.headers_separator.size(), headers.size()));
      TRY_ASSIGN(const auto key,
                 take_part(header, format.headers_key_separator, format, "header value"));
      if (key) parsed.headers.emplace_back(*key, unless_null(header, format));
    }
  }
  if (format.parse_key) {
    TRY_ASSIGN(const auto key, take_part(line, format.key_separator, format, "key"));
    if (key) parsed.key = unless_null(*key, format);
  }
  parsed.value = unless_null(line, format);
  return parsed;
}

status record_format::set(const std::string& name, const std::string& value) {
  return set_in({{"print.timestamp", &print_timestamp},
                 {"print.partition", &print_partition},
                 {"print.offset", &print_offset},
                 {"print.headers", &print_headers},
                 {"print.key", &print_key},
                 {"print.value", &print_value},
                 {"key.separator", &key_separator},
                 {"line.separator", &line_separator},
                 {"headers.separator", &headers_separator},
                 {"null.literal", &null_literal}},
                name, value);
}

std::string format_record(const record_format& format, partition_id_t partition,
                          timestamp_type timestamps, const model::record_view& record) {
  std::vector<std::string> parts;
  if (format.print_timestamp) {
    const bool from_client = timestamps == timestamp_type::create_time;
    parts.push_back(
        record.timestamp == no_timestamp
            ? "NO_TIMESTAMP"
            : fmt::format("{}:{}", from_client ? "CreateTime" : "LogAppendTime", record.timestamp));
  }
  if (format.print_partition) parts.push_back(fmt::format("Partition:{}", partition));
  if (format.print_offset) parts.push_back(fmt::format("Offset:{}", record.offset));
  if (format.print_headers) {
    std::string headers;
    auto each = record.headers();
    for (model::record_header_view header; each.next(header);) {
      headers += fmt::format("{}{}:{}", headers.empty() ? "" : format.headers_separator, header.key,
                             text_or(header.value, format.null_literal));
    }
    parts.push_back(headers.empty() ? "NO_HEADERS" : headers);
  }
  if (format.print_key) parts.push_back(text_or(record.key, format.null_literal));
  if (format.print_value) parts.push_back(text_or(record.value, format.null_literal));
  std::string line;
  for (const std::string& part : parts) {
    line += &part == &parts.front() ? part : format.key_separator + part;
  }
  return line + format.line_separator;
}

}  // namespace ringlog::app
