#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <string>
#include <type_traits>

#include "base/random.h"
#include "protocol/json.h"
#include "protocol/message.h"

namespace ringlog::protocol {

// Fills the fields that a message has in one version with values that any version can encode. Owns
// the bytes that the messages view.
class random_filler {
 public:
  random_filler(random_source& random, std::int16_t version) : random_(random), version_(version) {}

  template <typename Struct>
  void fill_struct(Struct& target) {
    Struct::for_each_field(target, version_, [&](const field_info& field, auto& member) {
      if (random_.one_in(5)) return;  // keeps the default
      fill(member, field.nullable);
    });
    if constexpr (requires { target.unknown_tagged_fields; }) {
      if (flexible_ && random_.one_in(4)) {
        target.unknown_tagged_fields.push_back({100, bytes()});
        target.unknown_tagged_fields.push_back({1000, bytes()});
      }
    }
  }

  template <typename Message>
  Message make() {
    flexible_ = version_ >= Message::info.lowest_flexible_version;
    Message message;
    fill_struct(message);
    return message;
  }

 private:
  template <typename Value>
  void fill(Value& value, bool nullable) {
    if constexpr (std::same_as<Value, bool>) {
      value = random_.one_in(2);
    } else if constexpr (std::integral<Value>) {
      value = static_cast<Value>(random_.next());
    } else if constexpr (std::same_as<Value, double>) {
      value = static_cast<double>(random_.below(1000)) / 8;
    } else if constexpr (std::same_as<Value, uuid>) {
      value = uuid::make_random(random_);
    } else if constexpr (std::same_as<Value, std::string>) {
      value = std::string(as_text(bytes()));
    } else if constexpr (std::same_as<Value, std::string_view>) {
      value = as_text(viewed_.emplace_back(bytes()));
    } else if constexpr (std::same_as<Value, byte_buffer>) {
      value = bytes();
    } else if constexpr (std::derived_from<Value, bytes_ref>) {
      value = Value(viewed_.emplace_back(bytes()));
    } else if constexpr (is_optional<Value>) {
      if (nullable && random_.one_in(3)) {
        value.reset();
      } else {
        // clang thinks a nested struct with defaults not default-constructible here, but it is.
        fill(value.emplace(typename Value::value_type{}), false);
      }
    } else if constexpr (is_vector<Value>) {
      value.resize(random_.below(4));
      for (auto& element : value) fill(element, false);
    } else {
      fill_struct(value);
    }
  }

  byte_buffer bytes() {
    byte_buffer buffer(random_.one_in(10) ? 300 : random_.below(8));
    for (std::byte& byte : buffer) byte = static_cast<std::byte>(random_.next());
    return buffer;
  }

  random_source& random_;
  const std::int16_t version_;
  bool flexible_ = false;
  std::deque<byte_buffer> viewed_;
};

}  // namespace ringlog::protocol
