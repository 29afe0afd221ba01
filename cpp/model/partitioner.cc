#include "model/partitioner.h"

#include <cstring>
#include <limits>

namespace ringlog::model {
namespace {

constexpr std::uint32_t replacement = 0xfffd;

// Takes one code point from the front of `text`; a byte that fits nowhere counts as U+FFFD.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const int length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  if (lead < 0xc2 || lead > 0xf4 || text.size() < static_cast<std::size_t>(length)) {
    text.remove_prefix(1);
    return replacement;
  }
  std::uint32_t code_point = lead & (0xffu >> (length + 1));
  for (int i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
    if ((next & 0xc0) != 0x80) {
      text.remove_prefix(1);
      return replacement;
    }
    code_point = code_point << 6 | (next & 0x3f);
  }
  text.remove_prefix(static_cast<std::size_t>(length));
  return code_point;
}

}  // namespace

std::int32_t murmur2(bytes_view key) {
  constexpr std::uint32_t seed = 0x9747b28c;
  constexpr std::uint32_t multiplier = 0x5bd1e995;
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  std::size_t left = key.size();
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(left);
  for (; left >= 4; left -= 4, bytes += 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes, sizeof(word));
    word *= multiplier;
    word ^= word >> 24;
    word *= multiplier;
    hash *= multiplier;
    hash ^= word;
  }
  if (left > 0) {
    for (std::size_t i = left; i > 0; --i) {
      hash ^= static_cast<std::uint32_t>(bytes[i - 1]) << (8 * (i - 1));
    }
    hash *= multiplier;
  }
  hash ^= hash >> 13;
  hash *= multiplier;
  hash ^= hash >> 15;
  return static_cast<std::int32_t>(hash);
}

std::int32_t java_string_hash(std::string_view text) {
  std::uint32_t hash = 0;
  while (!text.empty()) {
    const std::uint32_t code_point = take_code_point(text);
    if (code_point < 0x10000) {
      hash = hash * 31 + code_point;
    } else {  // a surrogate pair
      hash = hash * 31 + (0xd7c0 + (code_point >> 10));
      hash = hash * 31 + (0xdc00 + (code_point & 0x3ff));
    }
  }
  return static_cast<std::int32_t>(hash);
}

partition_id_t coordinator_partition(std::string_view id, std::int32_t partition_count) {
  const std::int32_t hash = java_string_hash(id);
  if (hash == std::numeric_limits<std::int32_t>::min()) return partition_id_t(0);
  return partition_id_t((hash < 0 ? -hash : hash) % partition_count);
}

}  // namespace ringlog::model
