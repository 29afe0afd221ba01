#include "protocol/stored/metadata_record.h"

#include <limits>

#include "base/letter_case.h"
#include "protocol/json.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace ringlog::protocol {

namespace {

constexpr std::uint32_t frame_version = 1;

std::int16_t read_short(reader& in, std::string_view what) {
  const std::uint32_t value = in.read_unsigned_varint();
  if (value > std::numeric_limits<std::int16_t>::max()) {
    in.fail(fmt::format("{} {} is too large", what, value));
    return 0;
  }
  return static_cast<std::int16_t>(value);
}

template <typename... Messages>
metadata_message decode_by_key(message_list<Messages...>, std::int16_t api_key,
                               std::int16_t version, reader& in) {
  metadata_message message;
  const bool known =
      ((Messages::info.api_key == api_key ? (message = Messages::decode(in, version), true)
                                          : false) ||
       ...);
  if (!known) message = unknown_metadata_message{api_key, to_buffer(in.read_view(in.bytes_left()))};
  return message;
}

}  // namespace

result<metadata_record> decode_metadata_record(bytes_view bytes) {
  reader in(bytes);
  const std::uint32_t frame = in.read_unsigned_varint();
  if (in.ok() && frame != frame_version) {
    in.fail(fmt::format("frame version {} is not known", frame), error_code::unsupported);
  }
  const std::int16_t api_key = read_short(in, "record type");
  const std::int16_t version = read_short(in, "record version");
  if (!in.ok()) return in.finish("metadata record").failure();
  metadata_record record{decode_by_key(metadata_records{}, api_key, version, in), version};
  TRY(in.finish(fmt::format("metadata record of type {}", api_key)));
  return record;
}

result<byte_buffer> encode_metadata_record(const metadata_record& record) {
  writer out;
  out.write_unsigned_varint(frame_version);
  const auto write_head = [&](std::int16_t api_key) {
    out.write_unsigned_varint(static_cast<std::uint32_t>(api_key));
    out.write_unsigned_varint(static_cast<std::uint32_t>(record.version));
  };
  std::visit(
      [&]<typename Message>(const Message& message) {
        if constexpr (std::same_as<Message, unknown_metadata_message>) {
          write_head(message.api_key);
          out.write_raw(message.body);
        } else {
          write_head(Message::info.api_key);
          message.encode(out, record.version);
        }
      },
      record.message);
  return std::move(out).take("metadata record");
}

std::string to_json(const metadata_record& record) {
  return std::visit(
      [&]<typename Message>(const Message& message) {
        if constexpr (std::same_as<Message, unknown_metadata_message>) {
          return fmt::format(R"({{"type":{},"version":{}}})", message.api_key, record.version);
        } else {
          return fmt::format(R"({{"type":"{}","version":{},"data":{}}})",
                             upper_case(Message::info.name), record.version,
                             to_json(message, record.version));
        }
      },
      record.message);
}

}  // namespace ringlog::protocol
