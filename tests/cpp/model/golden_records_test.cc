#include <gtest/gtest.h>

#include <set>

#include "base/crc32c.h"
#include "codec/codec.h"
#include "golden.h"
#include "model/record.h"

// Decodes every record that Kafka and other clients wrote, in all codecs.
namespace ringlog::model {
namespace {

golden::bytes as_golden(const std::optional<bytes_view>& field) {
  if (!field) return std::nullopt;
  return to_string(*field);
}

void expect_record(const record_view& record, const golden::record& wanted) {
  EXPECT_EQ(record.offset.value(), wanted.offset);
  EXPECT_EQ(record.timestamp, wanted.timestamp_ms);
  EXPECT_EQ(as_golden(record.key), wanted.key);
  if (wanted.value_size) {
    ASSERT_TRUE(record.value.has_value());
    EXPECT_EQ(static_cast<std::int64_t>(record.value->size()), *wanted.value_size);
    EXPECT_EQ(crc32c(*record.value), wanted.value_crc32c);
  } else {
    EXPECT_EQ(as_golden(record.value), wanted.value);
  }
  std::vector<std::pair<std::string, golden::bytes>> headers;
  record_header_iterator iterator = record.headers();
  for (record_header_view header; iterator.next(header);) {
    headers.emplace_back(std::string(header.key), as_golden(header.value));
  }
  EXPECT_TRUE(iterator.outcome().ok());
  EXPECT_EQ(headers, wanted.headers);
}

// Walks the segments of a partition and checks its records off; returns the codecs it met.
void expect_partition(const golden::directory& log, const golden::partition_key& partition,
                      const std::vector<golden::record>& wanted,
                      std::set<compression_type>& codecs) {
  std::set<std::filesystem::path> segments;
  for (const auto& entry :
       std::filesystem::directory_iterator(log.partition(partition.first, partition.second))) {
    if (entry.path().extension() == ".log") segments.insert(entry.path());
  }
  std::size_t seen = 0;
  for (const auto& segment : segments) {
    const byte_buffer file = golden::read_bytes(segment);
    bytes_view left = file;
    for (;;) {
      auto parsed = parse_batch(left);
      ASSERT_TRUE(parsed.ok());
      if (!*parsed) break;
      const batch_view batch = **parsed;
      left = left.subspan(batch.size_in_bytes());
      if (batch.is_control()) continue;
      codecs.insert(batch.compression());
      auto bytes = codec::decompress(batch.compression(), batch.records());
      ASSERT_TRUE(bytes.ok()) << bytes.failure().message;
      ASSERT_TRUE(validate_records(batch, *bytes).ok());
      record_iterator records(batch, *bytes);
      for (record_view record; records.next(record);) {
        if (record.offset.value() < wanted.front().offset) continue;  // before the log start
        ASSERT_LT(seen, wanted.size());
        EXPECT_EQ(batch.partition_leader_epoch().value(), wanted[seen].leader_epoch);
        EXPECT_EQ(batch.timestamps() == timestamp_type::log_append_time,
                  wanted[seen].log_append_time);
        expect_record(record, wanted[seen++]);
      }
    }
  }
  EXPECT_EQ(seen, wanted.size());
}

TEST(GoldenRecordsTest, EveryRecordInEveryCodec) {
  GOLDEN_OR_SKIP();
  for (const std::string which : {"clean", "killed"}) {
    const golden::directory log(which);
    std::set<compression_type> codecs;
    for (const auto& [partition, wanted] : golden::records(which)) {
      if (partition.first == "g.to-be-deleted") continue;
      SCOPED_TRACE(which + " " + partition.first + "-" + std::to_string(partition.second));
      expect_partition(log, partition, wanted, codecs);
    }
    EXPECT_EQ(codecs.size(), 5u);
  }
}

}  // namespace
}  // namespace ringlog::model
