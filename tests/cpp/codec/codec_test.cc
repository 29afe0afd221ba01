#include "codec/codec.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/limits.h"
#include "base/random.h"
#include "random_seed.h"

namespace ringlog::codec {
namespace {

constexpr std::array all_types = {compression_type::gzip, compression_type::snappy,
                                  compression_type::lz4, compression_type::zstd};

// Between noise and repetition, as records are.
byte_buffer random_content(random_source& random, std::size_t size) {
  byte_buffer bytes(size);
  const std::uint64_t alphabet = 1 + random.below(256);
  for (std::size_t i = 0; i < size; ++i) {
    const bool repeat = i > 100 && !random.one_in(8);
    bytes[i] = repeat ? bytes[i - 100] : static_cast<std::byte>(random.below(alphabet));
  }
  return bytes;
}

byte_buffer from_text(std::string_view text) { return to_buffer(as_bytes(text)); }

TEST(CodecTest, RandomContentRoundTripsAtEveryLevel) {
  seeded_random random(test_seed());
  for (const compression_type type : all_types) {
    SCOPED_TRACE(name_of(type));
    const codec_table_entry& codec = *find_codec(type);
    for (int round = 0; round < 60; ++round) {
      const byte_buffer content =
          random_content(random, random.below(random.one_in(5) ? 400'000 : 2'000));
      const int span = std::min(codec.level_max - codec.level_min, 30);
      const int level =
          codec.level_max - static_cast<int>(random.below(static_cast<std::uint64_t>(span) + 1));
      auto compressed = compress(type, content, level);
      ASSERT_TRUE(compressed.ok());
      auto restored = decompress(type, *compressed);
      ASSERT_TRUE(restored.ok()) << restored.failure().message << " level " << level;
      ASSERT_EQ(*restored, content);
    }
  }
}

TEST(CodecTest, CutOrChangedInputIsRefusedOrHarmless) {
  seeded_random random(test_seed());
  for (const compression_type type : all_types) {
    SCOPED_TRACE(name_of(type));
    const byte_buffer good = *compress(type, random_content(random, 5'000));
    for (int round = 0; round < 3'000; ++round) {
      byte_buffer bad = good;
      if (random.one_in(3)) bad.resize(random.below(bad.size()));
      for (auto left = random.below(4); left > 0 && !bad.empty(); --left) {
        bad[random.below(bad.size())] = static_cast<std::byte>(random.next());
      }
      auto outcome = decompress(type, bad);
      if (!outcome.ok()) {
        ASSERT_EQ(outcome.code(), error_code::corrupt);
      }
    }
    for (std::size_t size = 1; size < good.size(); ++size) {
      if (type == compression_type::snappy) break;  // a cut at a block's end is a shorter stream
      ASSERT_FALSE(decompress(type, bytes_view(good).first(size)).ok()) << size;
    }
  }
}

TEST(CodecTest, WhatExpandsBeyondTheLimitIsRefused) {
  const byte_buffer zeros(1'000'000);
  for (const compression_type type : all_types) {
    SCOPED_TRACE(name_of(type));
    const byte_buffer compressed = *compress(type, zeros);
    const codec_table_entry& codec = *find_codec(type);
    byte_buffer target;
    EXPECT_TRUE(codec.decompress(compressed, zeros.size(), target).ok());
    target.clear();
    auto outcome = codec.decompress(compressed, zeros.size() / 2, target);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.code(), error_code::corrupt);
    EXPECT_NE(outcome.failure().message.find("expand"), std::string::npos);
    EXPECT_LE(target.size(), zeros.size() / 2 + 1);
  }
  EXPECT_EQ(decompressed_bytes_max(10), 16u * 1024 * 1024);
  EXPECT_EQ(decompressed_bytes_max(4'000), 40'000'000u);
  EXPECT_EQ(decompressed_bytes_max(1'000'000), 256u * 1024 * 1024);
}

TEST(CodecTest, EmptyContentRoundTrips) {
  for (const compression_type type : all_types) {
    auto restored = decompress(type, *compress(type, {}));
    ASSERT_TRUE(restored.ok()) << name_of(type) << ": " << restored.failure().message;
    EXPECT_TRUE(restored->empty());
  }
}

TEST(CodecTest, AppendedStreamsAreReadWhereKafkaReadsThem) {
  const byte_buffer first = from_text("first half, ");
  const byte_buffer second = from_text("second half");
  for (const compression_type type : all_types) {
    SCOPED_TRACE(name_of(type));
    byte_buffer both = *compress(type, first);
    append(both, *compress(type, second));
    auto restored = decompress(type, both);
    if (type == compression_type::lz4) {
      EXPECT_EQ(restored.code(), error_code::corrupt);
    } else {
      ASSERT_TRUE(restored.ok());
      EXPECT_EQ(as_text(*restored), "first half, second half");
    }
  }
}

TEST(SnappyTest, FramingIsJavas) {
  const byte_buffer framed = *compress(compression_type::snappy, as_bytes("abc"));
  const std::string_view wanted(
      "\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\5\3\x08"
      "abc",
      25);
  EXPECT_EQ(as_text(framed), wanted);
  auto plain = decompress(compression_type::snappy, as_bytes(wanted.substr(20)));
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(as_text(*plain), "abc");
}

TEST(Lz4Test, FrameIsKafkas) {
  const byte_buffer frame = *compress(compression_type::lz4, as_bytes("abc"));
  // magic, version 1 with independent blocks, 64 KiB, header checksum, one stored block, end mark
  const std::string_view wanted(
      "\x04\x22\x4d\x18\x60\x40\x82\3\0\0\x80"
      "abc\0\0\0\0",
      18);
  EXPECT_EQ(as_text(frame), wanted);
}

TEST(CodecTest, Names) {
  EXPECT_EQ(*parse_compression_type("zstd"), compression_type::zstd);
  EXPECT_EQ(*parse_compression_type("gzip"), compression_type::gzip);
  EXPECT_EQ(*parse_compression_type("uncompressed"), compression_type::none);
  EXPECT_EQ(parse_compression_type("brotli").code(), error_code::unsupported_compression);
  EXPECT_EQ(name_of(compression_type::lz4), "lz4");
  EXPECT_EQ(decompress(static_cast<compression_type>(6), {}).code(),
            error_code::unsupported_compression);
}

}  // namespace
}  // namespace ringlog::codec
