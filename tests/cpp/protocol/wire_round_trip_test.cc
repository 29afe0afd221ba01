// Every request and response in every version: random values survive decoding and encoding, no
// input of any kind makes the decoder read or allocate beyond what is there.

#include <gtest/gtest.h>

#include "protocol/wire_messages.h"
#include "random_seed.h"

namespace ringlog::protocol {
namespace {

constexpr int rounds = 20;

template <typename Check>
void with_random_messages(Check check) {
  seeded_random random(test_seed());
  int count = 0;
  for (const wire_message& message : requests_and_responses()) {
    for (auto version = message.info.lowest_version; version <= message.info.highest_version;
         ++version) {
      SCOPED_TRACE(fmt::format("{} version {}", message.info.name, version));
      for (int round = 0; round < rounds; ++round, ++count) {
        check(message, message.make(random, version), version, random);
      }
    }
  }
  EXPECT_GT(count, 300 * rounds);
}

TEST(WireMessages, SurviveDecodingAndEncoding) {
  with_random_messages([](const wire_message& message, const byte_buffer& bytes,
                          std::int16_t version, random_source&) {
    const auto found = message.carry(bytes, version);
    ASSERT_TRUE(found.ok()) << found.failure().message;
    EXPECT_EQ(found->bytes, bytes);
  });
}

TEST(WireMessages, CutShortAnywhereAreRefused) {
  with_random_messages([](const wire_message& message, byte_buffer bytes, std::int16_t version,
                          random_source& random) {
    if (bytes.empty()) return;
    bytes.resize(random.below(bytes.size()));
    const auto found = message.carry(bytes, version);
    ASSERT_FALSE(found.ok()) << bytes.size() << " bytes";
    EXPECT_EQ(found.code(), error_code::corrupt);
  });
}

TEST(WireMessages, WithBytesLeftOverAreRefused) {
  with_random_messages(
      [](const wire_message& message, byte_buffer bytes, std::int16_t version, random_source&) {
        bytes.push_back(std::byte{0});
        EXPECT_FALSE(message.carry(bytes, version).ok());
      });
}

TEST(WireMessages, WithWrongBytesAreRefusedOrWrittenAgain) {
  with_random_messages([](const wire_message& message, byte_buffer bytes, std::int16_t version,
                          random_source& random) {
    if (bytes.empty()) return;
    for (int i = 0; i < 3; ++i) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    }
    const auto found = message.carry(bytes, version);
    // Not always as it was: a tagged field may hold its default. But what is written is read.
    if (found.ok()) {
      EXPECT_TRUE(message.carry(found->bytes, version).ok());
    } else {
      EXPECT_EQ(found.code(), error_code::corrupt) << found.failure().message;
    }
  });
}

}  // namespace
}  // namespace ringlog::protocol
