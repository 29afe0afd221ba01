#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "base/result.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

// Keys and values of records in __consumer_offsets: an int16 (a key's type, a value's version) and
// the message.
namespace ringlog::broker {

template <typename Message>
byte_buffer encode_stored(std::int16_t prefix, const Message& message, std::int16_t version) {
  protocol::writer out;
  out.write_integer(prefix);
  message.encode(out, version);
  auto bytes = std::move(out).take(Message::info.name);
  CHECK(bytes.ok(), "a coordinator record that cannot be written:", bytes.failure().message);
  return std::move(bytes.value());
}

template <typename Message>
result<Message> decode_stored(bytes_view value) {
  protocol::reader in(value);
  const auto version = in.read_integer<std::int16_t>();
  in.check_version(Message::info, version);
  Message message;
  if (in.ok()) message = Message::decode(in, version);
  TRY(in.finish(Message::info.name));
  return message;
}

}  // namespace ringlog::broker
