#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringlog {

// A view of bytes that someone else owns; never outlive the owner.
using bytes_view = std::span<const std::byte>;
using mutable_bytes = std::span<std::byte>;

// Bytes that we own.
using byte_buffer = std::vector<std::byte>;

// A view together with what keeps its bytes alive. The bytes never change while it is shared.
struct shared_bytes {
  std::shared_ptr<const void> owner;
  bytes_view bytes;
};

inline bytes_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline byte_buffer to_buffer(bytes_view bytes) { return {bytes.begin(), bytes.end()}; }

inline std::string to_string(bytes_view bytes) { return std::string(as_text(bytes)); }

inline void append(byte_buffer& target, bytes_view source) {
  target.insert(target.end(), source.begin(), source.end());
}

inline bool equal(bytes_view left, bytes_view right) {
  return left.size() == right.size() &&
         (left.empty() || std::memcmp(left.data(), right.data(), left.size()) == 0);
}

}  // namespace ringlog
