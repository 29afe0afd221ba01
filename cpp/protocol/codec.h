#pragma once

#include <algorithm>
#include <cstdint>

#include "base/result.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

// Whole messages to and from bytes, in the two framings that stored messages have.
namespace ringlog::protocol {

template <typename Message>
result<byte_buffer> encode_message(const Message& message, std::int16_t version) {
  writer out;
  message.encode(out, version);
  return std::move(out).take(Message::info.name);
}

template <typename Message>
result<Message> decode_message(bytes_view bytes, std::int16_t version) {
  reader in(bytes);
  Message message = Message::decode(in, version);
  TRY(in.finish(Message::info.name));
  return message;
}

// With the version as int16 in front: values of coordinator records, markers, consumer protocol.
template <typename Message>
result<byte_buffer> encode_versioned(const Message& message, std::int16_t version) {
  writer out;
  out.write_integer(version);
  message.encode(out, version);
  return std::move(out).take(Message::info.name);
}

template <typename Message>
result<Message> decode_versioned(bytes_view bytes) {
  reader in(bytes);
  const auto version = in.read_integer<std::int16_t>();
  Message message = Message::decode(in, version);
  TRY(in.finish(Message::info.name));
  return message;
}

// The same, but a version newer than ours is read as ours and what is left over is ignored, as
// Kafka's ConsumerProtocol reads what members of a group send each other.
template <typename Message>
result<Message> decode_versioned_leniently(bytes_view bytes) {
  reader in(bytes);
  const auto version = in.read_integer<std::int16_t>();
  Message message = Message::decode(in, std::min(version, Message::info.highest_version));
  TRY(in.finish_early(Message::info.name));
  return message;
}

}  // namespace ringlog::protocol
