// Arbitrary bytes as a run of record batches, as they come from a segment file or a producer. A
// batch whose CRC is wrong is looked at once more with a right one: so the search gets past it.
//
// seeds: *.log
#include <cstdint>

#include "base/bytes.h"
#include "model/record.h"
#include "model/record_batch.h"

namespace {

using namespace ringlog;

// What validate_records accepts, the iterator must deliver in full and in order.
void read_records(const model::batch_view& batch, bytes_view records) {
  const bool valid = model::validate_records(batch, records).ok();
  model::record_iterator iterator(batch, records);
  std::int32_t count = 0;
  offset_t previous = batch.base_offset() + -1;
  std::uint64_t sum = 0;
  for (model::record_view record; iterator.next(record); ++count) {
    CHECK(!valid || record.offset > previous, "offsets of valid records must grow");
    previous = record.offset;
    for (const auto byte : record.key.value_or(bytes_view{})) sum += static_cast<unsigned>(byte);
    for (const auto byte : record.value.value_or(bytes_view{})) sum += static_cast<unsigned>(byte);
    auto headers = record.headers();
    for (model::record_header_view header; headers.next(header);) sum += header.key.size();
    CHECK(!valid || headers.outcome().ok(), "valid records must have valid headers");
  }
  CHECK(!valid || (iterator.outcome().ok() && count == batch.count()), "valid records must be read",
        count, batch.count());
  volatile std::uint64_t sink = sum;
  static_cast<void>(sink);
}

void read_batch(const model::batch_view& batch) {
  for (const auto level : {model::validation_level::header, model::validation_level::checksum,
                           model::validation_level::produced}) {
    if (!model::validate(batch, level).ok()) return;
  }
  read_records(batch, batch.records());
  if (batch.is_control()) static_cast<void>(model::parse_transaction_marker(batch));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  byte_buffer copy(reinterpret_cast<const std::byte*>(data),
                   reinterpret_cast<const std::byte*>(data) + size);
  bytes_view left(copy.data(), copy.size());
  while (true) {
    const auto parsed = model::parse_batch(left);
    if (!parsed.ok() || !parsed.value()) return 0;
    const model::batch_view batch = *parsed.value();
    read_batch(batch);
    const std::size_t position = static_cast<std::size_t>(left.data() - copy.data());
    if (model::validate(batch, model::validation_level::header).ok()) {
      model::stamp_crc(mutable_bytes(copy.data() + position, batch.bytes().size()));
      read_batch(batch);
    }
    left = left.subspan(batch.bytes().size());
  }
}
