#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/hash_map.h"
#include "base/random.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/task.h"
#include "base/uuid.h"
#include "base/varint.h"

namespace ringlog {
namespace {

TEST(Crc32cTest, KnownValues) {
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);  // RFC 3720's check value
  EXPECT_EQ(crc32c_by_table(as_bytes("123456789")), 0xe3069283u);
}

TEST(Crc32cTest, InstructionAgreesWithTableAtEveryLengthAndAlignment) {
  seeded_random random(1);
  byte_buffer bytes(8192 + 64);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  for (std::size_t size = 0; size < bytes.size() - 8; size += size < 300 ? 1 : 257) {
    const bytes_view view(bytes.data() + size % 8, size);
    ASSERT_EQ(crc32c(view), crc32c_by_table(view)) << size;
    const auto head = view.first(size / 3);
    ASSERT_EQ(crc32c(view.subspan(size / 3), crc32c(head)), crc32c(view)) << size;
  }
}

TEST(EndianTest, BigEndian) {
  std::byte bytes[8];
  store_be<std::int32_t>(bytes, 0x01020304);
  EXPECT_EQ(bytes[0], std::byte{1});
  EXPECT_EQ(bytes[3], std::byte{4});
  store_be<std::int64_t>(bytes, -2);
  EXPECT_EQ(load_be<std::int64_t>(bytes), -2);
  EXPECT_EQ(load_be<std::int16_t>(bytes), -1);
}

template <typename Value, typename Write, typename Read>
void round_trip(Value value, std::size_t size, Write write, Read read) {
  std::byte bytes[varlong_bytes_max];
  const std::byte* end = write(bytes, value);
  ASSERT_EQ(static_cast<std::size_t>(end - bytes), size);
  Value decoded{};
  ASSERT_EQ(read(bytes, end, &decoded), end);
  ASSERT_EQ(decoded, value);
  for (const std::byte* cut = bytes; cut != end; ++cut) {
    ASSERT_EQ(read(bytes, cut, &decoded), nullptr) << "cut short but read";
  }
}

TEST(VarintTest, RoundTripsAtEveryWidth) {
  for (int shift = 0; shift < 64; ++shift) {
    for (const std::int64_t near : {-1, 0, 1}) {
      const auto value =
          static_cast<std::int64_t>((std::uint64_t{1} << shift) + static_cast<std::uint64_t>(near));
      round_trip<std::int64_t>(value, varlong_size(value), write_varlong, read_varlong);
      const std::int64_t mirrored = ~value;
      round_trip<std::int64_t>(mirrored, varlong_size(mirrored), write_varlong, read_varlong);
      const auto narrow = static_cast<std::int32_t>(value);
      round_trip<std::int32_t>(narrow, varint_size(narrow), write_varint, read_varint);
    }
  }
  constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
  round_trip<std::int64_t>(lowest, 10, write_varlong, read_varlong);
}

TEST(VarintTest, RefusesWhatDoesNotFit) {
  const byte_buffer too_wide(11, std::byte{0xff});
  std::int32_t narrow = 0;
  std::int64_t wide = 0;
  const std::byte* begin = too_wide.data();
  EXPECT_EQ(read_varint(begin, begin + too_wide.size(), &narrow), nullptr);
  EXPECT_EQ(read_varlong(begin, begin + too_wide.size(), &wide), nullptr);
  byte_buffer overflow(4, std::byte{0xff});
  overflow.push_back(std::byte{0x1f});  // bit 32 set
  EXPECT_EQ(read_varint(overflow.data(), overflow.data() + 5, &narrow), nullptr);
}

TEST(UuidTest, TextFormAndReserved) {
  EXPECT_EQ(uuid{}.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
  seeded_random random(7);
  for (int i = 0; i < 200; ++i) {
    const uuid id = uuid::make_random(random);
    EXPECT_EQ(uuid::parse(id.to_string()).value(), id);
    EXPECT_EQ(static_cast<unsigned>(id.bytes[6]) >> 4, 4u);
  }
  EXPECT_FALSE(uuid::parse("short").ok());
  EXPECT_FALSE(uuid::parse("AAAAAAAAAAAAAAAAAAAAA!").ok());
  EXPECT_FALSE(uuid::parse("AAAAAAAAAAAAAAAAAAAAAB").ok());
}

struct meters_tag {};
using meters = strong<meters_tag, std::int64_t>;

TEST(StrongTest, ArithmeticAndFormat) {
  meters m(3);
  ++m;
  EXPECT_EQ((m + 2) - m, 2);
  EXPECT_LT(m, m + 1);
  EXPECT_EQ(fmt::format("{}", m), "4");
  hash_map<meters, int> map;
  map[m] = 5;
  EXPECT_EQ(map.at(meters(4)), 5);
}

result<int> half(int value) {
  if (value % 2 != 0) return make_error(error_code::invalid_argument, "{} is odd", value);
  return value / 2;
}
result<int> quarter(int value) {
  TRY_ASSIGN(const int first, half(value));
  TRY(half(first));
  return half(first);
}

TEST(ResultTest, PassesFailuresUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).failure().message, "3 is odd");
  EXPECT_EQ(std::move(quarter(6).failure()).with_context("quarter").message, "quarter: 3 is odd");
  EXPECT_DEATH(static_cast<void>(quarter(6).value()), "3 is odd");
}

TEST(ErrorTest, EveryCodeHasAName) {
  EXPECT_EQ(name_of(error_code::io_error), "io_error");
  EXPECT_EQ(name_of(error_code::offset_out_of_range), "offset_out_of_range");
  EXPECT_EQ(name_of(error_code::unstable_offset_commit), "unstable_offset_commit");
  EXPECT_EQ(name_of(error_code::internal), "internal");
}

TEST(CallbackTest, HoldsWhatCannotBeCopied) {
  callback<int(int)> add = [held = std::make_unique<int>(2)](int value) { return value + *held; };
  callback<int(int)> moved = std::move(add);
  EXPECT_EQ(moved(3), 5);
  EXPECT_FALSE(add);
}

}  // namespace
}  // namespace ringlog
