#include "broker/group/group_partition.h"

#include <cstdlib>
#include <limits>

namespace ringlog::broker {

namespace {

// The UTF-16 code units of UTF-8 text, which Java hashes.
template <typename Use>
void for_each_utf16_unit(std::string_view text, Use use) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    }
    i += length;
    if (point < 0x10000) {
      use(point);
    } else {
      use(0xd800 + ((point - 0x10000) >> 10));
      use(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
}

}  // namespace

partition_id_t partition_of_group(std::string_view group, std::int32_t partition_count) {
  std::uint32_t hash = 0;
  for_each_utf16_unit(group, [&](std::uint32_t unit) { hash = hash * 31 + unit; });
  const auto signed_hash = static_cast<std::int32_t>(hash);
  const std::int32_t positive =
      signed_hash == std::numeric_limits<std::int32_t>::min() ? 0 : std::abs(signed_hash);
  return partition_id_t(positive % partition_count);
}

}  // namespace ringlog::broker
