#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/result.h"
#include "protocol/stored/metadata/messages.h"

// Records of the metadata log and of its snapshots (KIP-631; Kafka: MetadataRecordSerde). The value
// is, as unsigned varints, frame version (1), api key and version, then the message.
namespace ringlog::protocol {

// A record of a type that we do not know, kept as it is.
struct unknown_metadata_message {
  std::int16_t api_key = 0;
  byte_buffer body;
  bool operator==(const unknown_metadata_message&) const = default;
};

using metadata_message = metadata_records::variant_with<unknown_metadata_message>;

struct metadata_record {
  metadata_message message;
  std::int16_t version = 0;
  bool operator==(const metadata_record&) const = default;
};

// Fails with error_code::unsupported for a version that is newer than ours of a type that we know.
result<metadata_record> decode_metadata_record(bytes_view bytes);

result<byte_buffer> encode_metadata_record(const metadata_record& record);

// {"type":"TOPIC_RECORD","version":0,"data":{...}}, as kafka-dump-log prints it.
std::string to_json(const metadata_record& record);

}  // namespace ringlog::protocol
