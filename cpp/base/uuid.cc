#include "base/uuid.h"

namespace ringlog {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t text_size = 22;

bool is_reserved(const uuid& id) {
  for (std::size_t i = 0; i < 15; ++i) {
    if (id.bytes[i] != std::byte{0}) return false;
  }
  return static_cast<unsigned>(id.bytes[15]) < 100;
}

}  // namespace

std::string uuid::to_string() const {
  std::string text;
  text.reserve(text_size);
  unsigned bits = 0;
  int held = 0;
  for (const std::byte byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned>(byte);
    held += 8;
    for (; held >= 6; held -= 6) text.push_back(alphabet[bits >> (held - 6) & 0x3f]);
  }
  text.push_back(alphabet[bits << (6 - held) & 0x3f]);
  return text;
}

result<uuid> uuid::parse(std::string_view text) {
  if (text.size() != text_size) {
    return make_error(error_code::invalid_argument, "'{}' is not an id of 22 characters", text);
  }
  uuid id;
  unsigned bits = 0;
  int held = 0;
  std::size_t filled = 0;
  for (const char character : text) {
    const auto digit = alphabet.find(character);
    if (digit == std::string_view::npos) {
      return make_error(error_code::invalid_argument, "'{}' is not base64url", text);
    }
    bits = (bits << 6) | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      id.bytes[filled++] = static_cast<std::byte>(bits >> held & 0xff);
    }
  }
  if ((bits & 0x0f) != 0) {
    return make_error(error_code::invalid_argument, "'{}' has bits past its 16 bytes", text);
  }
  return id;
}

uuid uuid::make_random(random_source& random) {
  for (;;) {
    uuid id;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint64_t word = random.next();
      std::memcpy(id.bytes.data() + half * 8, &word, sizeof(word));
    }
    id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    if (!is_reserved(id) && id.to_string().front() != '-') return id;
  }
}

uuid uuid::reserved(std::uint8_t number) {
  CHECK(number < 100, "reserved ids are 0 to 99, not", number);
  uuid id;
  id.bytes[15] = std::byte{number};
  return id;
}

}  // namespace ringlog
