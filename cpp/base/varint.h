#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

// Variable-length integers as Kafka's ByteUtils writes them: seven bits a byte, lowest first, the
// high bit set on all but the last byte; signed values in zigzag form.
namespace ringlog {

inline constexpr std::size_t varint_bytes_max = 5;
inline constexpr std::size_t varlong_bytes_max = 10;

constexpr std::uint32_t zigzag(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31);
}
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int32_t unzigzag(std::uint32_t value) {
  return static_cast<std::int32_t>(value >> 1) ^ -static_cast<std::int32_t>(value & 1);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

constexpr std::size_t unsigned_varint_size(std::uint64_t value) {
  const int bits = 64 - __builtin_clzll(value | 1);
  return static_cast<std::size_t>((bits + 6) / 7);
}
constexpr std::size_t varint_size(std::int32_t value) {
  return unsigned_varint_size(zigzag(value));
}
constexpr std::size_t varlong_size(std::int64_t value) {
  return unsigned_varint_size(zigzag(value));
}

// Writes at `target`, which has room for unsigned_varint_size(value) bytes; returns past the end.
inline std::byte* write_unsigned_varint(std::byte* target, std::uint64_t value) {
  while (value >= 0x80) {
    *target++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *target++ = static_cast<std::byte>(value);
  return target;
}
inline std::byte* write_varint(std::byte* target, std::int32_t value) {
  return write_unsigned_varint(target, zigzag(value));
}
inline std::byte* write_varlong(std::byte* target, std::int64_t value) {
  return write_unsigned_varint(target, zigzag(value));
}

// Reads from the front of [cursor, end). Returns past what was read, or nullptr when the bytes end
// early or the value does not fit (more than 5 bytes for 32 bits, 10 for 64); *value is then unset.
inline const std::byte* read_unsigned_varint(const std::byte* cursor, const std::byte* end,
                                             std::uint32_t* value) {
  std::uint32_t result = 0;
  for (int shift = 0; shift < 35 && cursor != end; shift += 7) {
    const auto byte = static_cast<std::uint32_t>(*cursor++);
    if (shift == 28 && byte > 0x0f) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return cursor;
    }
  }
  return nullptr;
}
inline const std::byte* read_unsigned_varlong(const std::byte* cursor, const std::byte* end,
                                              std::uint64_t* value) {
  std::uint64_t result = 0;
  for (int shift = 0; shift < 70 && cursor != end; shift += 7) {
    const auto byte = static_cast<std::uint64_t>(*cursor++);
    if (shift == 63 && byte > 0x01) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return cursor;
    }
  }
  return nullptr;
}
inline const std::byte* read_varint(const std::byte* cursor, const std::byte* end,
                                    std::int32_t* value) {
  if (cursor != end && static_cast<std::uint8_t>(*cursor) < 0x80) {
    *value = unzigzag(static_cast<std::uint32_t>(*cursor));
    return cursor + 1;
  }
  std::uint32_t raw = 0;
  cursor = read_unsigned_varint(cursor, end, &raw);
  if (cursor != nullptr) *value = unzigzag(raw);
  return cursor;
}
inline const std::byte* read_varlong(const std::byte* cursor, const std::byte* end,
                                     std::int64_t* value) {
  std::uint64_t raw = 0;
  cursor = read_unsigned_varlong(cursor, end, &raw);
  if (cursor != nullptr) *value = unzigzag(raw);
  return cursor;
}

}  // namespace ringlog
