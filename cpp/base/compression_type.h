#pragma once

#include <cstdint>

namespace ringlog {

// The values of attributes bits 0-2 of a record batch.
enum class compression_type : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

}  // namespace ringlog
