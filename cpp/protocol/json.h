#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/message.h"
#include "protocol/views.h"

// Messages as JSON, as Kafka's generated JsonConverter classes and kafka-dump-log print them:
// camelCase names, bytes in base64, uuids as text, tagged fields unless they have their default.
namespace ringlog::protocol {

void append_json(std::string& target, std::string_view text);
void append_json(std::string& target, bytes_view bytes);
void append_json(std::string& target, double value);

template <typename Value>
void append_json_value(std::string& target, const Value& value, std::int16_t version);

template <typename Element>
void append_json_array(std::string& target, const std::vector<Element>& elements,
                       std::int16_t version) {
  target += '[';
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) target += ',';
    append_json_value(target, elements[i], version);
  }
  target += ']';
}

// "NAME":VALUE; of records only the size is said, under a name that says so.
template <typename Value>
void append_json_member(std::string& target, const field_info& field, const Value& value,
                        std::int16_t version) {
  if constexpr (std::same_as<Value, std::optional<records_ref>>) {
    if (value) return append_json_member(target, field, *value, version);
  }
  const bool is_records = std::same_as<Value, records_ref>;
  append_json(target, is_records ? std::string(field.name) + "SizeInBytes" : field.name);
  target += ':';
  append_json_value(target, value, version);
}

template <typename Struct>
void append_json_struct(std::string& target, const Struct& value, std::int16_t version) {
  target += '{';
  bool first = true;
  Struct::for_each_field(value, version, [&](const field_info& field, const auto& member) {
    if (!field.shown) return;
    if (!first) target += ',';
    first = false;
    append_json_member(target, field, member, version);
  });
  target += '}';
}

template <typename T>
inline constexpr bool is_vector = false;
template <typename T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <typename Value>
void append_json_value(std::string& target, const Value& value, std::int16_t version) {
  if constexpr (std::same_as<Value, bool>) {
    target += value ? "true" : "false";
  } else if constexpr (std::integral<Value>) {
    target += std::to_string(value);
  } else if constexpr (std::same_as<Value, uuid>) {
    append_json(target, std::string_view(value.to_string()));
  } else if constexpr (std::convertible_to<const Value&, std::string_view>) {
    append_json(target, std::string_view(value));
  } else if constexpr (std::same_as<Value, records_ref>) {
    target += std::to_string(value.size());
  } else if constexpr (std::convertible_to<const Value&, bytes_view>) {
    append_json(target, bytes_view(value));
  } else if constexpr (std::same_as<Value, double>) {
    append_json(target, value);
  } else if constexpr (is_optional<Value>) {
    if (value) {
      append_json_value(target, *value, version);
    } else {
      target += "null";
    }
  } else if constexpr (is_vector<Value>) {
    append_json_array(target, value, version);
  } else {
    append_json_struct(target, value, version);
  }
}

template <typename Message>
std::string to_json(const Message& message, std::int16_t version) {
  std::string text;
  append_json_struct(text, message, version);
  return text;
}

}  // namespace ringlog::protocol
