#include "server/frame_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/endian.h"
#include "base/random.h"
#include "random_seed.h"

namespace ringlog::server {
namespace {

constexpr std::int64_t frame_bytes_max = 100'000;

std::string framed(const std::string& content) {
  std::string size(4, '\0');
  store_be(reinterpret_cast<std::byte*>(size.data()), static_cast<std::int32_t>(content.size()));
  return size + content;
}

TEST(FrameReader, PutsFramesTogetherHoweverTheyAreCut) {
  seeded_random random(test_seed());
  request_memory memory(10'000'000);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> sent;
    std::string stream;
    for (int i = 0; i < 5; ++i) {
      const bool is_large = random.one_in(4);
      sent.emplace_back(random.below(is_large ? 100'000 : 20), static_cast<char>('a' + i));
      stream += framed(sent.back());
    }
    frame_reader reader(memory, frame_bytes_max);
    std::vector<std::string> read;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(
          stream.size() - at, 1 + random.below(random.one_in(2) ? 3 : 50'000));
      bytes_view piece = as_bytes(stream).subspan(at, size);
      at += size;
      while (!piece.empty()) {
        const auto outcome = reader.take(piece).value();
        if (outcome != frame_reader::outcome::has_frame) continue;
        EXPECT_FALSE(read.size() == sent.size());
        read.push_back(to_string(reader.take_frame().bytes));
      }
    }
    EXPECT_EQ(read, sent);
    EXPECT_FALSE(reader.is_amid_frame());
  }
  EXPECT_EQ(memory.bytes(), 0);
}

TEST(FrameReader, AnImpossibleSizeIsRefused) {
  request_memory memory(1'000'000);
  for (const std::int32_t size : {-1, INT32_MIN, INT32_MAX, 100'001}) {
    frame_reader reader(memory, frame_bytes_max);
    std::array<std::byte, 4> text{};
    store_be(text.data(), size);
    bytes_view source = text;
    EXPECT_EQ(reader.take(source).code(), error_code::invalid_argument) << size;
  }
}

TEST(FrameReader, TakesMemoryForWhatCameOnly) {
  request_memory memory(1'000);
  frame_reader reader(memory, frame_bytes_max);
  const std::string start = framed(std::string(100'000, 'x')).substr(0, 4 + 10);
  bytes_view source = as_bytes(start);
  EXPECT_EQ(reader.take(source).value(), frame_reader::outcome::wants_more);
  EXPECT_TRUE(reader.is_amid_frame());
  EXPECT_EQ(memory.bytes(), 10);
}

TEST(FrameReader, GoesOnWhereItWasWhenThereIsMemoryAgain) {
  request_memory memory(100);
  auto other = std::make_unique<request_memory::share>(memory);
  ASSERT_TRUE(other->grow(100));
  ASSERT_TRUE(other->grow(1));
  frame_reader reader(memory, frame_bytes_max);
  const std::string stream = framed("hello");
  bytes_view source = as_bytes(stream);
  EXPECT_EQ(reader.take(source).value(), frame_reader::outcome::wants_memory);
  EXPECT_EQ(source.size(), 5u);
  other.reset();
  EXPECT_EQ(reader.take(source).value(), frame_reader::outcome::has_frame);
  EXPECT_EQ(to_string(reader.take_frame().bytes), "hello");
}

}  // namespace
}  // namespace ringlog::server
