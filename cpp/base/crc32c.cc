#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace ringlog {
namespace {

constexpr std::uint32_t polynomial_reflected = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? polynomial_reflected : 0);
    }
    table[byte] = value;
  }
  return table;
}

constexpr auto table = make_table();

#if defined(__x86_64__)

// Three streams hide the instruction's latency of three cycles; their sums are joined by shifting
// with a table of "append N zero bytes" (the operator x^(8N) modulo the polynomial).
constexpr std::size_t stream_bytes = 1024;

constexpr std::uint32_t append_zeros(std::uint32_t crc, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) crc = (crc >> 8) ^ table[crc & 0xff];
  return crc;
}

struct shift_table {
  std::array<std::array<std::uint32_t, 256>, 4> part{};
  explicit shift_table(std::size_t zeros) {
    std::array<std::uint32_t, 32> bit{};
    for (std::uint32_t i = 0; i < 32; ++i) bit[i] = append_zeros(1u << i, zeros);
    for (std::uint32_t lane = 0; lane < 4; ++lane) {
      for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = 0;
        for (std::uint32_t i = 0; i < 8; ++i) {
          if ((byte >> i & 1) != 0) value ^= bit[lane * 8 + i];
        }
        part[lane][byte] = value;
      }
    }
  }
  std::uint32_t operator()(std::uint32_t crc) const {
    return part[0][crc & 0xff] ^ part[1][crc >> 8 & 0xff] ^ part[2][crc >> 16 & 0xff] ^
           part[3][crc >> 24];
  }
};

std::uint64_t load_word(const std::byte* source) {
  std::uint64_t word;
  std::memcpy(&word, source, sizeof(word));
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(bytes_view bytes,
                                                               std::uint32_t seed) {
  static const shift_table shift(stream_bytes);
  const std::byte* cursor = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t crc = ~seed;
  while (left >= 3 * stream_bytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < stream_bytes; i += 8) {
      crc = _mm_crc32_u64(crc, load_word(cursor + i));
      second = _mm_crc32_u64(second, load_word(cursor + stream_bytes + i));
      third = _mm_crc32_u64(third, load_word(cursor + 2 * stream_bytes + i));
    }
    crc = shift(static_cast<std::uint32_t>(crc)) ^ second;
    crc = shift(static_cast<std::uint32_t>(crc)) ^ third;
    cursor += 3 * stream_bytes;
    left -= 3 * stream_bytes;
  }
  for (; left >= 8; left -= 8, cursor += 8) crc = _mm_crc32_u64(crc, load_word(cursor));
  auto result = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++cursor) {
    result = _mm_crc32_u8(result, static_cast<unsigned char>(*cursor));
  }
  return ~result;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

std::uint32_t by_instruction(bytes_view bytes, std::uint32_t seed) {
  const std::byte* cursor = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t crc = ~seed;
  for (; left >= 8; left -= 8, cursor += 8) {
    std::uint64_t word;
    std::memcpy(&word, cursor, sizeof(word));
    crc = __crc32cd(crc, word);
  }
  for (; left > 0; --left, ++cursor) crc = __crc32cb(crc, static_cast<std::uint8_t>(*cursor));
  return ~crc;
}

constexpr bool has_instruction = true;

#else

std::uint32_t by_instruction(bytes_view bytes, std::uint32_t seed) {
  return crc32c_by_table(bytes, seed);
}
constexpr bool has_instruction = false;

#endif

}  // namespace

std::uint32_t crc32c_by_table(bytes_view bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

std::uint32_t crc32c(bytes_view bytes, std::uint32_t seed) {
  return has_instruction ? by_instruction(bytes, seed) : crc32c_by_table(bytes, seed);
}

}  // namespace ringlog
