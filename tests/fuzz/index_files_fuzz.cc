// One input as each of a segment's small binary files: what is accepted must survive being written
// and read again, and answer look-ups.
//
// seeds: *.index *.timeindex *.txnindex *.snapshot
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "storage/offset_index.h"
#include "storage/producer_snapshot.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace {

using namespace ringlog;

constexpr offset_t base{1000};
constexpr std::int64_t log_bytes = std::int64_t{1} << 31;
const std::string path = "fuzz";

void offset_index(bytes_view content) {
  const auto index = storage::offset_index::decode(content, base, log_bytes, path);
  if (!index.ok()) return;
  for (std::size_t i = 0; i < index->size(); ++i) {
    CHECK(index->lookup(index->at(i).offset) == index->at(i).position, "an entry finds itself", i);
  }
  const auto encoded = index->encode();
  const auto again = storage::offset_index::decode(encoded, base, log_bytes, path);
  CHECK(again.ok() && again->encode() == encoded, "a written index reads the same");
}

void time_index(bytes_view content) {
  const auto index = storage::time_index::decode(content, base, path);
  if (!index.ok()) return;
  for (std::size_t i = 0; i < index->size(); ++i) {
    CHECK(index->lookup(index->at(i).timestamp) == index->at(i), "an entry finds itself", i);
  }
  const auto encoded = index->encode();
  const auto again = storage::time_index::decode(encoded, base, path);
  CHECK(again.ok() && again->encode() == encoded, "a written index reads the same");
}

void transaction_index(bytes_view content) {
  const auto index = storage::transaction_index::decode(content, path);
  if (!index.ok()) return;
  std::vector<storage::aborted_range> found;
  static_cast<void>(index->collect(base, base + 1'000'000, found));
  CHECK(index->encode() == to_buffer(content), "a written index is the same");
}

void producer_snapshot(bytes_view content) {
  constexpr std::size_t crc_at = sizeof(std::int16_t);
  constexpr std::size_t covered_at = crc_at + sizeof(std::uint32_t);
  byte_buffer copy = to_buffer(content);
  if (copy.size() > covered_at) {
    store_be<std::uint32_t>(copy.data() + crc_at, crc32c(bytes_view(copy).subspan(covered_at)));
  }
  for (const bytes_view bytes : {content, bytes_view(copy)}) {
    const auto producers = storage::decode_producer_snapshot(bytes, path);
    if (!producers.ok()) continue;
    const auto encoded = storage::encode_producer_snapshot(*producers);
    const auto again = storage::decode_producer_snapshot(encoded, path);
    CHECK(again.ok() && storage::encode_producer_snapshot(*again) == encoded,
          "a written snapshot reads the same");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const bytes_view content(reinterpret_cast<const std::byte*>(data), size);
  offset_index(content);
  time_index(content);
  transaction_index(content);
  producer_snapshot(content);
  return 0;
}
