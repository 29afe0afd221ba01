#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace ringlog {

static_assert(std::endian::native == std::endian::little, "byte order is swapped on every load");

namespace detail {
template <std::integral T>
constexpr T byte_swap(T value) {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<unsigned short>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<unsigned int>(value)));
  } else {
    return static_cast<T>(__builtin_bswap64(static_cast<unsigned long>(value)));
  }
}
}  // namespace detail

// Reads a big-endian integer of sizeof(T) bytes at `source`; the caller checked the bounds.
template <std::integral T>
inline T load_be(const std::byte* source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return detail::byte_swap(value);
}

// Writes a big-endian integer of sizeof(T) bytes at `target`; the caller checked the bounds.
template <std::integral T>
inline void store_be(std::byte* target, T value) {
  value = detail::byte_swap(value);
  std::memcpy(target, &value, sizeof(T));
}

}  // namespace ringlog
