#include "storage/producer_snapshot.h"

#include "base/crc32c.h"
#include "base/endian.h"

namespace ringlog::storage {

namespace {

constexpr std::int16_t current_version = 1;
constexpr std::size_t crc_position = 2;
constexpr std::size_t checked_from = 6;
constexpr std::size_t header_bytes = 10;
constexpr std::size_t entry_bytes = 46;

template <typename Integer>
Integer take(const std::byte*& source) {
  const auto value = load_be<Integer>(source);
  source += sizeof(Integer);
  return value;
}

template <typename Integer>
void put(std::byte*& target, Integer value) {
  store_be(target, value);
  target += sizeof(Integer);
}

}  // namespace

byte_buffer encode_producer_snapshot(const std::vector<producer_entry>& entries) {
  byte_buffer content(header_bytes + entries.size() * entry_bytes);
  std::byte* target = content.data();
  put(target, current_version);
  put(target, std::uint32_t{0});
  put(target, static_cast<std::int32_t>(entries.size()));
  for (const producer_entry& entry : entries) {
    const producer_batch batch = entry.has_batches() ? entry.last_batch() : producer_batch();
    put(target, entry.producer_id.value());
    put(target, entry.producer_epoch.value());
    put(target, batch.last_sequence);
    put(target, batch.last_offset.value());
    put(target, batch.offset_delta);
    put(target, entry.last_timestamp);
    put(target, entry.coordinator_epoch);
    put(target, entry.transaction_start.value());
  }
  const bytes_view checked = bytes_view(content).subspan(checked_from);
  store_be(content.data() + crc_position, crc32c(checked));
  return content;
}

result<std::vector<producer_entry>> decode_producer_snapshot(bytes_view content,
                                                             const std::string& path) {
  if (content.size() < header_bytes) {
    return make_error(error_code::corrupt, "{}: too short for a producer snapshot", path);
  }
  const std::byte* source = content.data();
  const auto version = take<std::int16_t>(source);
  if (version != current_version) {
    return make_error(error_code::unsupported, "{}: snapshot version {} is not known", path,
                      version);
  }
  const auto stored = take<std::uint32_t>(source);
  if (stored != crc32c(content.subspan(checked_from))) {
    return make_error(error_code::corrupt, "{}: wrong checksum", path);
  }
  const auto count = take<std::int32_t>(source);
  if (count < 0 || static_cast<std::size_t>(count) * entry_bytes != content.size() - header_bytes) {
    return make_error(error_code::corrupt, "{}: {} entries do not fit the size {}", path, count,
                      content.size());
  }
  std::vector<producer_entry> entries;
  entries.reserve(static_cast<std::size_t>(count));
  for (std::int32_t number = 0; number < count; ++number) {
    producer_entry entry{producer_id_t(take<std::int64_t>(source))};
    entry.producer_epoch = producer_epoch_t(take<std::int16_t>(source));
    producer_batch batch;
    batch.last_sequence = take<std::int32_t>(source);
    batch.last_offset = offset_t(take<std::int64_t>(source));
    batch.offset_delta = take<std::int32_t>(source);
    entry.last_timestamp = batch.timestamp = take<std::int64_t>(source);
    entry.coordinator_epoch = take<std::int32_t>(source);
    entry.transaction_start = offset_t(take<std::int64_t>(source));
    if (batch.last_offset >= offset_t(0)) entry.add_batch(batch);
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace ringlog::storage
