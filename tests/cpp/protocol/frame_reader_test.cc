#include "protocol/frame_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/endian.h"
#include "base/random.h"
#include "random_seed.h"

namespace ringlog::protocol {
namespace {

using outcome = frame_reader::outcome;

constexpr std::int64_t size_max = 100'000;

std::string sized(std::int32_t size) {
  std::string text(4, '\0');
  store_be(reinterpret_cast<std::byte*>(text.data()), size);
  return text;
}

std::string framed(const std::string& content) {
  return sized(static_cast<std::int32_t>(content.size())) + content;
}

TEST(FrameReader, PutsFramesTogetherHoweverTheyAreCut) {
  seeded_random random(test_seed());
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> sent;
    std::string stream;
    for (int i = 0; i < 5; ++i) {
      const bool is_large = random.one_in(4);
      sent.emplace_back(random.below(is_large ? 100'000 : 20), static_cast<char>('a' + i));
      stream += framed(sent.back());
    }
    frame_reader reader(0, size_max);
    std::vector<std::string> read;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(
          stream.size() - at, 1 + random.below(random.one_in(2) ? 3 : 50'000));
      bytes_view piece = as_bytes(stream).subspan(at, size);
      at += size;
      while (!piece.empty()) {
        if (reader.take(piece) != outcome::has_frame) continue;
        EXPECT_FALSE(read.size() == sent.size());
        read.push_back(to_string(reader.take_frame()));
      }
    }
    EXPECT_EQ(read, sent);
    EXPECT_FALSE(reader.is_amid_frame());
  }
}

TEST(FrameReader, ASizeOutOfTheLimitsIsRefused) {
  for (const std::int32_t size : {3, -1, INT32_MIN, INT32_MAX, 100'001}) {
    frame_reader reader(4, size_max);
    const std::string text = sized(size);
    bytes_view source = as_bytes(text);
    EXPECT_EQ(reader.take(source), outcome::has_bad_size) << size;
    EXPECT_EQ(reader.announced_size(), size);
    source = as_bytes(text);
    EXPECT_EQ(reader.take(source), outcome::has_bad_size) << "for ever";
  }
}

TEST(FrameReader, TakesMemoryForWhatCameOnly) {
  std::size_t taken = 0;
  frame_reader reader(0, size_max, [&](std::size_t bytes) {
    taken += bytes;
    return true;
  });
  const std::string start = sized(100'000) + "0123456789";
  bytes_view source = as_bytes(start);
  EXPECT_EQ(reader.take(source), outcome::wants_more);
  EXPECT_TRUE(reader.is_amid_frame());
  EXPECT_EQ(taken, 10u);
}

TEST(FrameReader, GoesOnWhereItWasWhenThereIsMemoryAgain) {
  bool has_memory = false;
  frame_reader reader(0, size_max, [&](std::size_t) { return has_memory; });
  const std::string stream = framed("hello");
  bytes_view source = as_bytes(stream);
  EXPECT_EQ(reader.take(source), outcome::wants_memory);
  EXPECT_EQ(source.size(), 5u);
  has_memory = true;
  EXPECT_EQ(reader.take(source), outcome::has_frame);
  EXPECT_EQ(to_string(reader.take_frame()), "hello");
}

}  // namespace
}  // namespace ringlog::protocol
