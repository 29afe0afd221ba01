#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ringlog {

// CRC-32C (Castagnoli, RFC 3720 B.4): the checksum of Kafka's record batches and of the journal.
// Pass an earlier result as `seed` to go on over further bytes. Uses the processor's instruction
// where there is one, else a table; both give the same result.
std::uint32_t crc32c(bytes_view bytes, std::uint32_t seed = 0);

// The table form, for processors without the instruction and as the test's second opinion.
std::uint32_t crc32c_by_table(bytes_view bytes, std::uint32_t seed = 0);

}  // namespace ringlog
