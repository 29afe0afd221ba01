// The first byte chooses a codec, the rest is decompressed as it is and compressed and expanded
// again: nothing crashes or exceeds its bound, and every round trip returns the input.
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "codec/codec.h"

namespace {

using namespace ringlog;

void round_trip(compression_type type, bytes_view source) {
  const auto packed = codec::compress(type, source);
  CHECK(packed.ok(), "anything can be compressed");
  const auto unpacked = codec::decompress(type, packed.value());
  CHECK(unpacked.ok() || source.size() > codec::decompressed_bytes_max(packed.value().size()),
        "what was compressed must expand");
  CHECK(!unpacked.ok() || unpacked.value() == to_buffer(source), "a round trip loses nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bytes_view bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const auto type = static_cast<compression_type>(data[0] % 8);  // 5 to 7 are none of Kafka's
  const auto unpacked = codec::decompress(type, bytes);
  CHECK(!unpacked.ok() || type == compression_type::none ||
            unpacked.value().size() <= codec::decompressed_bytes_max(bytes.size()),
        "expansion is bounded", unpacked.ok() ? unpacked.value().size() : 0);
  if (codec::find_codec(type) != nullptr) round_trip(type, bytes);
  return 0;
}
