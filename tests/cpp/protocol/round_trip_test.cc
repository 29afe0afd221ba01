// Every message in every version: random values survive encoding and decoding, no input of any kind
// makes the decoder read or allocate beyond what is there.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "protocol/codec.h"
#include "protocol/random_message.h"
#include "protocol/stored/consumer_protocol/messages.h"
#include "protocol/stored/control/messages.h"
#include "protocol/stored/group/messages.h"
#include "protocol/stored/metadata/messages.h"
#include "protocol/stored/principal/messages.h"
#include "protocol/stored/raft/messages.h"
#include "protocol/stored/share/messages.h"
#include "protocol/stored/transaction/messages.h"
#include "protocol/wire/messages.h"

namespace ringlog::protocol {
namespace {

constexpr int rounds = 50;

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("RINGLOG_SEED");
    const std::uint64_t chosen = given != nullptr ? std::strtoull(given, nullptr, 10) : 20260101;
    std::cout << "RINGLOG_SEED=" << chosen << "\n";
    return chosen;
  }();
  return value;
}

template <typename Visit, typename... Messages>
void for_each_message(message_list<Messages...>, Visit visit) {
  (visit.template operator()<Messages>(), ...);
}

template <typename Visit>
void for_every_message(Visit visit) {
  for_each_message(consumer_protocol_messages{}, visit);
  for_each_message(control_messages{}, visit);
  for_each_message(group_messages{}, visit);
  for_each_message(metadata_messages{}, visit);
  for_each_message(principal_messages{}, visit);
  for_each_message(raft_messages{}, visit);
  for_each_message(share_messages{}, visit);
  for_each_message(transaction_messages{}, visit);
  for_each_message(wire_messages{}, visit);
}

template <typename Check>
void with_random_messages(Check check) {
  seeded_random random(seed());
  for_every_message([&]<typename Message>() {
    for (auto version = Message::info.lowest_version; version <= Message::info.highest_version;
         ++version) {
      for (int round = 0; round < rounds; ++round) {
        check(random_filler(random, version).make<Message>(), version, random);
      }
    }
  });
}

TEST(Messages, SurviveEncodingAndDecoding) {
  int messages = 0;
  with_random_messages([&]<typename Message>(const Message& message, std::int16_t version, auto&) {
    ++messages;
    const auto bytes = encode_message(message, version);
    ASSERT_TRUE(bytes.ok()) << bytes.failure().message;
    const auto decoded = decode_message<Message>(*bytes, version);
    ASSERT_TRUE(decoded.ok()) << decoded.failure().message;
    EXPECT_EQ(to_json(*decoded, version), to_json(message, version));
    EXPECT_TRUE(*decoded == message) << Message::info.name << " version " << version;
  });
  EXPECT_GT(messages, 100 * rounds);
}

TEST(Messages, CutShortAnywhereAreRefused) {
  with_random_messages(
      []<typename Message>(const Message& message, std::int16_t version, random_source& random) {
        auto bytes = encode_message(message, version).value();
        if (bytes.empty()) return;
        bytes.resize(random.below(bytes.size()));
        const auto decoded = decode_message<Message>(bytes, version);
        ASSERT_FALSE(decoded.ok()) << Message::info.name << " of " << bytes.size() << " bytes";
        EXPECT_EQ(decoded.code(), error_code::corrupt);
      });
}

TEST(Messages, WithWrongBytesNeverBreakTheReader) {
  with_random_messages(
      []<typename Message>(const Message& message, std::int16_t version, random_source& random) {
        auto bytes = encode_message(message, version).value();
        if (bytes.empty()) return;
        for (int i = 0; i < 3; ++i) {
          bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
        }
        const auto decoded = decode_message<Message>(bytes, version);
        // What can be read can be written. (Not always as it was: a tagged field may hold its
        // default.)
        if (decoded.ok()) {
          EXPECT_TRUE(encode_message(*decoded, version).ok());
        }
      });
}

TEST(Messages, WithBytesLeftOverAreRefused) {
  with_random_messages([]<typename Message>(const Message& message, std::int16_t version, auto&) {
    auto bytes = encode_message(message, version).value();
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode_message<Message>(bytes, version).ok()) << Message::info.name;
  });
}

}  // namespace
}  // namespace ringlog::protocol
