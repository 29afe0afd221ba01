#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "model/types.h"

namespace ringlog::app {

// How a line of text is a record: properties of kafka-console-producer.
struct line_format {
  bool parse_key = false;
  bool parse_headers = false;
  bool ignore_error = false;  // a line without a separator is a value
  std::string key_separator = "\t";
  std::string headers_delimiter = "\t";
  std::string headers_separator = ",";
  std::string headers_key_separator = ":";
  std::optional<std::string> null_marker;

  // error_code::invalid_argument for a name that is none.
  status set(const std::string& name, const std::string& value);
};

struct parsed_line {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

// [headers, delimiter] [key, separator] value.
result<parsed_line> parse_line(const line_format& format, std::string_view line);

// How a record is printed: properties of kafka-console-consumer.
struct record_format {
  bool print_timestamp = false;
  bool print_partition = false;
  bool print_offset = false;
  bool print_headers = false;
  bool print_key = false;
  bool print_value = true;
  std::string key_separator = "\t";
  std::string line_separator = "\n";
  std::string headers_separator = ",";
  std::string null_literal = "null";

  status set(const std::string& name, const std::string& value);
};

// With the line separator.
std::string format_record(const record_format& format, partition_id_t partition,
                          timestamp_type timestamps, const model::record_view& record);

}  // namespace ringlog::app
