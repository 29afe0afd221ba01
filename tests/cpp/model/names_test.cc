#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/uuid.h"
#include "base/varint.h"
#include "golden.h"
#include "model/partitioner.h"
#include "model/topic_name.h"

namespace ringlog::model {
namespace {

TEST(GoldenVectorsTest, Murmur2AndKeyPartitions) {
  GOLDEN_OR_SKIP();
  const auto rows = golden::vectors()["murmur2"];
  ASSERT_EQ(rows.size(), 20u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.dump());
    const byte_buffer key = golden::from_hex(row["key_hex"]);
    EXPECT_EQ(murmur2(key), row["hash_int32"]);
    for (const int count : {1, 3, 12}) {
      EXPECT_EQ(partition_for_key(key, count).value(),
                row["partition_of_" + std::to_string(count)]);
    }
  }
}

TEST(GoldenVectorsTest, CoordinatorPartitions) {
  GOLDEN_OR_SKIP();
  const auto rows = golden::vectors()["group_partition"];
  ASSERT_EQ(rows.size(), 12u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.dump());
    const std::string name = row["name"];
    EXPECT_EQ(java_string_hash(name), row["java_hash_code"]);
    EXPECT_EQ(coordinator_partition(name, 50).value(), row["partition_of_50"]);
    EXPECT_EQ(coordinator_partition(name, 3).value(), row["partition_of_3"]);
  }
}

TEST(GoldenVectorsTest, Checksums) {
  GOLDEN_OR_SKIP();
  const auto rows = golden::vectors()["crc32c"];
  ASSERT_EQ(rows.size(), 11u);
  for (const auto& row : rows) {
    const byte_buffer data = golden::from_hex(row["data_hex"]);
    EXPECT_EQ(crc32c(data), row["crc32c"].get<std::uint32_t>());
    EXPECT_EQ(crc32c_by_table(data), row["crc32c"].get<std::uint32_t>());
  }
}

TEST(GoldenVectorsTest, Varints) {
  GOLDEN_OR_SKIP();
  const auto rows = golden::vectors()["varint"];
  ASSERT_EQ(rows.size(), 16u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.dump());
    const std::int64_t value = std::stoll(row["value"].get<std::string>());
    std::byte bytes[varlong_bytes_max];
    const byte_buffer signed_form = golden::from_hex(row["zigzag_varlong_hex"]);
    EXPECT_TRUE(equal({bytes, write_varlong(bytes, value)}, signed_form));
    std::int64_t decoded = 0;
    EXPECT_NE(read_varlong(signed_form.data(), signed_form.data() + signed_form.size(), &decoded),
              nullptr);
    EXPECT_EQ(decoded, value);
    if (row["unsigned_varint_hex"].is_null()) continue;
    const byte_buffer unsigned_form = golden::from_hex(row["unsigned_varint_hex"]);
    EXPECT_TRUE(equal({bytes, write_unsigned_varint(bytes, static_cast<std::uint64_t>(value))},
                      unsigned_form));
  }
}

TEST(GoldenVectorsTest, Uuids) {
  GOLDEN_OR_SKIP();
  const auto rows = golden::vectors()["uuid"];
  ASSERT_EQ(rows.size(), 3u);
  for (const auto& row : rows) {
    const auto id = uuid::parse(row["text"].get<std::string>());
    ASSERT_TRUE(id.ok());
    EXPECT_TRUE(equal(id->bytes, golden::from_hex(row["hex"])));
    EXPECT_EQ(id->to_string(), row["text"].get<std::string>());
  }
}

TEST(JavaStringHashTest, BytesThatAreNoText) {
  EXPECT_EQ(java_string_hash("\xff"), 0xfffd);
  EXPECT_EQ(java_string_hash("\xc3"), 0xfffd);
  EXPECT_EQ(java_string_hash("\xe2\x82"), 0xfffd * 31 + 0xfffd);
}

TEST(TopicNameTest, KafkasRules) {
  for (const std::string& good : {std::string("a"), std::string("orders.v1_x-2"),
                                  std::string("..."), std::string(249, 'x')}) {
    EXPECT_TRUE(validate_topic_name(good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string("ü"), std::string("a\0b", 3), std::string(250, 'x')}) {
    const auto outcome = validate_topic_name(bad);
    ASSERT_FALSE(outcome.ok()) << bad;
    EXPECT_EQ(outcome.code(), error_code::invalid_topic);
  }
}

TEST(TopicNameTest, InternalAndColliding) {
  EXPECT_TRUE(is_internal_topic("__consumer_offsets"));
  EXPECT_FALSE(is_internal_topic("__mine"));
  EXPECT_TRUE(has_collision("a.b_c", "a_b.c"));
  EXPECT_FALSE(has_collision("a.b", "a-b"));
  EXPECT_FALSE(has_collision("a.b", "a.bc"));
  EXPECT_TRUE(has_collision_chars("a_b"));
  EXPECT_FALSE(has_collision_chars("a-b"));
}

}  // namespace
}  // namespace ringlog::model
