// Keys and values that logs of __consumer_offsets, __transaction_state, __share_group_state and
// __cluster_metadata hold: whatever decodes must encode to bytes that decode to the same bytes.
//
// seeds: *.log
#include <cstdint>
#include <variant>

#include "base/bytes.h"
#include "base/check.h"
#include "model/record.h"
#include "model/record_batch.h"
#include "protocol/stored/coordinator_record.h"
#include "protocol/stored/metadata_record.h"

namespace {

using namespace ringlog;

void metadata_value(bytes_view value) {
  const auto decoded = protocol::decode_metadata_record(value);
  if (!decoded.ok()) return;
  static_cast<void>(protocol::to_json(decoded.value()));
  const auto encoded = protocol::encode_metadata_record(decoded.value());
  CHECK(encoded.ok(), "what was decoded must encode");
  const auto again = protocol::decode_metadata_record(encoded.value());
  CHECK(again.ok(), "what was encoded must decode");
  CHECK(protocol::encode_metadata_record(again.value()).value() == encoded.value(),
        "encoding must be stable");
}

struct parts {
  bytes_view key;
  bytes_view value;
};

template <typename Keys, typename Values>
void coordinator_record(Keys keys, Values values, const parts& record) {
  const auto key = protocol::decode_coordinator_key(keys, record.key);
  if (!key.ok()) return;
  static_cast<void>(protocol::coordinator_key_to_json(key.value()));
  const auto encoded = std::visit(
      [](const auto& message) { return protocol::encode_coordinator_key(message); }, key.value());
  CHECK(encoded.ok() && encoded.value() == to_buffer(record.key), "keys have one encoding");
  const auto type = load_be<std::int16_t>(record.key.data());
  static_cast<void>(protocol::coordinator_value_to_json(values, type, record.value));
}

void decode(const parts& record) {
  metadata_value(record.value);
  coordinator_record(protocol::group_keys{}, protocol::group_values{}, record);
  coordinator_record(protocol::transaction_keys{}, protocol::transaction_values{}, record);
  coordinator_record(protocol::share_keys{}, protocol::share_values{}, record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bytes_view left(reinterpret_cast<const std::byte*>(data), size);
  decode({left.subspan(0, size / 2), left.subspan(size / 2)});
  while (true) {
    const auto parsed = model::parse_batch(left);
    if (!parsed.ok() || !parsed.value()) return 0;
    const model::batch_view batch = *parsed.value();
    if (!model::validate(batch, model::validation_level::header).ok()) return 0;
    model::record_iterator records(batch, batch.records());
    for (model::record_view record; records.next(record);) {
      decode({record.key.value_or(bytes_view{}), record.value.value_or(bytes_view{})});
    }
    left = left.subspan(batch.bytes().size());
  }
}
