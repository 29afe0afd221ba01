#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <variant>

#include "base/result.h"
#include "protocol/codec.h"
#include "protocol/json.h"
#include "protocol/stored/group/messages.h"
#include "protocol/stored/share/messages.h"
#include "protocol/stored/transaction/messages.h"

// Keys of the records in __consumer_offsets, __transaction_state and __share_group_state (Kafka:
// CoordinatorRecordSerde). A key is its record type as int16, then the message in version 0; the
// record's value is the message of the same type with its version as int16 in front
// (decode_versioned), or null for a deletion.
namespace ringlog::protocol {

// A key of a type that we do not know, kept as it is.
struct unknown_coordinator_key {
  std::int16_t type = 0;
  byte_buffer body;
  bool operator==(const unknown_coordinator_key&) const = default;
};

using group_key = group_keys::variant_with<unknown_coordinator_key>;
using transaction_key = transaction_keys::variant_with<unknown_coordinator_key>;
using share_key = share_keys::variant_with<unknown_coordinator_key>;

template <typename Message>
result<byte_buffer> encode_coordinator_key(const Message& key) {
  writer out;
  if constexpr (std::same_as<Message, unknown_coordinator_key>) {
    out.write_integer(key.type);
    out.write_raw(key.body);
  } else {
    out.write_integer(Message::info.api_key);
    key.encode(out, 0);
  }
  return std::move(out).take("coordinator key");
}

template <typename... Messages>
result<std::variant<unknown_coordinator_key, Messages...>> decode_coordinator_key(
    message_list<Messages...>, bytes_view bytes) {
  reader in(bytes);
  const auto type = in.read_integer<std::int16_t>();
  std::variant<unknown_coordinator_key, Messages...> key;
  const bool known =
      ((Messages::info.api_key == type ? (key = Messages::decode(in, 0), true) : false) || ...);
  if (!known) key = unknown_coordinator_key{type, to_buffer(in.read_view(in.bytes_left()))};
  TRY(in.finish(fmt::format("coordinator key of type {}", type)));
  return key;
}

inline result<group_key> decode_group_key(bytes_view bytes) {
  return decode_coordinator_key(group_keys{}, bytes);
}
inline result<transaction_key> decode_transaction_key(bytes_view bytes) {
  return decode_coordinator_key(transaction_keys{}, bytes);
}
inline result<share_key> decode_share_key(bytes_view bytes) {
  return decode_coordinator_key(share_keys{}, bytes);
}

// {"type":"1","data":{...}}, as kafka-dump-log prints the key.
template <typename... Keys>
std::string coordinator_key_to_json(const std::variant<unknown_coordinator_key, Keys...>& key) {
  return std::visit(
      []<typename Message>(const Message& message) {
        if constexpr (std::same_as<Message, unknown_coordinator_key>) {
          return fmt::format(R"({{"type":"{}"}})", message.type);
        } else {
          return fmt::format(R"({{"type":"{}","data":{}}})", Message::info.api_key,
                             to_json(message, 0));
        }
      },
      key);
}

// {"version":"0","data":{...}}, as kafka-dump-log prints the value of a record of that type.
template <typename... Values>
result<std::string> coordinator_value_to_json(message_list<Values...>, std::int16_t type,
                                              bytes_view value) {
  reader in(value);
  const auto version = in.read_integer<std::int16_t>();
  std::string data = "null";
  static_cast<void>(
      ((Values::info.api_key == type ? (data = to_json(Values::decode(in, version), version), true)
                                     : false) ||
       ...));
  TRY(in.finish(fmt::format("coordinator value of type {}", type)));
  return fmt::format(R"({{"version":"{}","data":{}}})", version, data);
}

}  // namespace ringlog::protocol
