#include "model/record_batch.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "golden.h"
#include "model/batch_builder.h"
#include "model/record.h"
#include "random_seed.h"

namespace ringlog::model {
namespace {

struct plain_record {
  std::int64_t timestamp = 0;
  std::optional<byte_buffer> key;
  std::optional<byte_buffer> value;
  std::vector<std::pair<std::string, std::optional<byte_buffer>>> headers;
};

byte_buffer random_bytes(random_source& random, std::size_t size) {
  byte_buffer bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

std::optional<byte_buffer> random_field(random_source& random) {
  if (random.one_in(5)) return std::nullopt;
  return random_bytes(random, random.below(random.one_in(20) ? 40'000 : 150));
}

plain_record random_record(random_source& random) {
  plain_record record;
  record.timestamp =
      1'760'000'000'000 + static_cast<std::int64_t>(random.below(1'000'000)) - 500'000;
  record.key = random_field(random);
  record.value = random_field(random);
  for (auto left = random.one_in(3) ? random.below(4) : 0; left > 0; --left) {
    record.headers.emplace_back(to_string(random_bytes(random, random.below(9))),
                                random_field(random));
  }
  return record;
}

std::optional<bytes_view> view(const std::optional<byte_buffer>& field) {
  if (!field) return std::nullopt;
  return bytes_view(*field);
}

void append(batch_builder& builder, const plain_record& record) {
  std::vector<record_header_view> headers;
  for (const auto& [key, value] : record.headers) headers.push_back({key, view(value)});
  const std::size_t before = builder.size_in_bytes();
  builder.append(record.timestamp, view(record.key), view(record.value), headers);
  ASSERT_LE(builder.size_in_bytes() - before,
            batch_builder::record_bytes_max(view(record.key), view(record.value), headers));
}

void expect_field(const std::optional<bytes_view>& actual,
                  const std::optional<byte_buffer>& wanted) {
  ASSERT_EQ(actual.has_value(), wanted.has_value());
  if (wanted) {
    ASSERT_TRUE(equal(*actual, *wanted));
  }
}

void expect_records(const batch_view& batch, bytes_view records,
                    const std::vector<plain_record>& wanted) {
  record_iterator iterator(batch, records);
  offset_t offset = batch.base_offset();
  for (const plain_record& record : wanted) {
    record_view actual;
    ASSERT_TRUE(iterator.next(actual));
    EXPECT_EQ(actual.offset, offset);
    EXPECT_EQ(actual.timestamp, record.timestamp);
    expect_field(actual.key, record.key);
    expect_field(actual.value, record.value);
    ASSERT_EQ(static_cast<std::size_t>(actual.header_count), record.headers.size());
    record_header_iterator headers = actual.headers();
    for (const auto& [key, value] : record.headers) {
      record_header_view header;
      ASSERT_TRUE(headers.next(header));
      EXPECT_EQ(header.key, key);
      expect_field(header.value, value);
    }
    record_header_view none;
    EXPECT_FALSE(headers.next(none));
    EXPECT_TRUE(headers.outcome().ok());
    ++offset;
  }
  record_view none;
  EXPECT_FALSE(iterator.next(none));
  EXPECT_TRUE(iterator.outcome().ok());
}

byte_buffer one_record_batch(const batch_fields& fields = {}) {
  batch_builder builder;
  builder.append(1000, as_bytes("key"), as_bytes("value"));
  return std::move(builder).finish(fields);
}

TEST(BatchBuilderTest, RandomRecordsRoundTrip) {
  seeded_random random(test_seed());
  for (int round = 0; round < 200; ++round) {
    batch_builder builder(random.below(4096));
    std::vector<plain_record> records(1 + random.below(random.one_in(10) ? 400 : 20));
    for (plain_record& record : records) append(builder, record = random_record(random));
    batch_fields fields;
    fields.base_offset = offset_t(static_cast<std::int64_t>(random.below(1'000'000'000'000)));
    fields.producer_id = producer_id_t(static_cast<std::int64_t>(random.below(5000)));
    fields.producer_epoch = producer_epoch_t(7);
    fields.base_sequence = static_cast<std::int32_t>(random.below(1 << 30));
    const std::size_t announced = builder.size_in_bytes();
    const byte_buffer bytes = std::move(builder).finish(fields);
    ASSERT_EQ(bytes.size(), announced);

    auto parsed = parse_batch(bytes);
    ASSERT_TRUE(parsed.ok() && parsed->has_value());
    const batch_view batch = **parsed;
    ASSERT_TRUE(validate(batch, validation_level::produced).ok());
    ASSERT_TRUE(validate_records(batch, batch.records()).ok());
    EXPECT_EQ(batch.base_offset(), fields.base_offset);
    EXPECT_EQ(batch.producer_id(), fields.producer_id);
    EXPECT_EQ(batch.producer_epoch(), fields.producer_epoch);
    EXPECT_EQ(batch.base_sequence(), fields.base_sequence);
    EXPECT_EQ(static_cast<std::size_t>(batch.count()), records.size());
    expect_records(batch, batch.records(), records);
  }
}

TEST(BatchBuilderTest, BytesOfAOneRecordBatch) {
  const byte_buffer bytes = one_record_batch();
  ASSERT_EQ(bytes.size(), 61u + 15u);
  const byte_buffer wanted = golden::from_hex(
      "0000000000000000"
      "00000040"
      "ffffffff"
      "02"
      "00000000"
      "0000"
      "00000000"
      "00000000000003e8"
      "00000000000003e8"
      "ffffffffffffffff"
      "ffff"
      "ffffffff"
      "00000001"
      "1c"
      "00"
      "00"
      "00"
      "06"
      "6b6579"
      "0a"
      "76616c7565"
      "00");
  byte_buffer without_crc = bytes;
  std::fill_n(without_crc.begin() + batch_layout::crc, 4, std::byte{0});
  EXPECT_EQ(without_crc, wanted);
}

TEST(BatchBuilderTest, ReplacedRecordsKeepTheHeader) {
  batch_fields fields;
  fields.base_offset = offset_t(42);
  const byte_buffer bytes = one_record_batch(fields);
  const byte_buffer replaced =
      replace_records(batch_view(bytes), as_bytes("compressed"), compression_type::lz4);
  const batch_view batch(replaced);
  EXPECT_EQ(batch.base_offset(), offset_t(42));
  EXPECT_EQ(batch.compression(), compression_type::lz4);
  EXPECT_EQ(as_text(batch.records()), "compressed");
  EXPECT_TRUE(validate(batch, validation_level::checksum).ok());
}

TEST(BatchBuilderTest, TransactionMarker) {
  const byte_buffer bytes = make_transaction_marker_batch({control_type::commit, 12},
                                                          producer_id_t(9), producer_epoch_t(3), 5);
  EXPECT_EQ(bytes.size(), 78u);  // as Kafka writes it
  const batch_view batch(bytes);
  EXPECT_TRUE(batch.is_control() && batch.is_transactional());
  ASSERT_TRUE(validate(batch, validation_level::checksum).ok());
  EXPECT_EQ(validate(batch, validation_level::produced).code(), error_code::invalid_record);
  auto marker = parse_transaction_marker(batch);
  ASSERT_TRUE(marker.ok() && marker->has_value());
  EXPECT_EQ((*marker)->type, control_type::commit);
  EXPECT_EQ((*marker)->coordinator_epoch, 12);
}

TEST(BatchStampTest, PositionLiesOutsideTheChecksum) {
  byte_buffer bytes = one_record_batch();
  const std::uint32_t crc = batch_view(bytes).stored_crc();
  stamp_position(bytes, offset_t(77), leader_epoch_t(5));
  const batch_view batch(bytes);
  EXPECT_EQ(batch.stored_crc(), crc);
  EXPECT_TRUE(validate(batch, validation_level::checksum).ok());
  EXPECT_EQ(batch.base_offset(), offset_t(77));
  EXPECT_EQ(batch.partition_leader_epoch(), leader_epoch_t(5));
}

TEST(BatchStampTest, AppendTimeIsTheTimeOfAllRecords) {
  byte_buffer bytes = one_record_batch();
  stamp_timestamps(bytes, timestamp_type::log_append_time, 9000);
  const batch_view batch(bytes);
  ASSERT_TRUE(validate(batch, validation_level::checksum).ok());
  record_view record;
  ASSERT_TRUE(record_iterator(batch, batch.records()).next(record));
  EXPECT_EQ(record.timestamp, 9000);
  stamp_timestamps(bytes, timestamp_type::create_time, 1000);
  ASSERT_TRUE(record_iterator(batch, batch.records()).next(record));
  EXPECT_EQ(record.timestamp, 1000);
}

TEST(BatchStampTest, ProducerAndSequenceWrap) {
  byte_buffer bytes = one_record_batch();
  stamp_producer(bytes, producer_id_t(4), producer_epoch_t(2), 0x7fffffff);
  const batch_view batch(bytes);
  ASSERT_TRUE(validate(batch, validation_level::produced).ok());
  EXPECT_EQ(batch.last_sequence(), 0x7fffffff);
  EXPECT_EQ(increment_sequence(0x7fffffff, 1), 0);
  EXPECT_EQ(increment_sequence(0x7ffffffe, 3), 1);
}

TEST(ParseBatchTest, TellsTornFromDamagedFromOld) {
  byte_buffer bytes = one_record_batch();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto torn = parse_batch(bytes_view(bytes).first(size));
    ASSERT_TRUE(torn.ok()) << size;
    ASSERT_FALSE(torn->has_value()) << size;
  }
  byte_buffer zeros(200);
  EXPECT_EQ(parse_batch(zeros).code(), error_code::corrupt);
  for (const int magic : {0, 1}) {
    bytes[batch_layout::magic] = static_cast<std::byte>(magic);
    auto old = parse_batch(bytes);
    ASSERT_EQ(old.code(), error_code::unsupported);
    EXPECT_NE(old.failure().message.find("message format v" + std::to_string(magic)),
              std::string::npos);
  }
  bytes[batch_layout::magic] = std::byte{3};
  EXPECT_EQ(parse_batch(bytes).code(), error_code::corrupt);
}

TEST(ValidateBatchTest, EveryFlippedBitIsSeen) {
  const byte_buffer good = one_record_batch();
  for (std::size_t bit = batch_layout::crc * 8; bit < good.size() * 8; ++bit) {
    byte_buffer bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto outcome = validate(batch_view(bad), validation_level::checksum);
    ASSERT_FALSE(outcome.ok()) << "bit " << bit;
    ASSERT_EQ(outcome.code(), error_code::corrupt);
  }
}

TEST(ValidateBatchTest, WhatClientsMayNotSend) {
  const auto outcome = [](auto change) {
    byte_buffer bytes = one_record_batch();
    change(bytes);
    stamp_crc(bytes);
    return validate(batch_view(bytes), validation_level::produced);
  };
  EXPECT_TRUE(outcome([](byte_buffer&) {}).ok());
  EXPECT_EQ(outcome([](byte_buffer& b) { store_be(b.data() + batch_layout::count, 0); }).code(),
            error_code::invalid_record);
  EXPECT_EQ(outcome([](byte_buffer& b) {
              store_be(b.data() + batch_layout::last_offset_delta, 3);
            }).code(),
            error_code::invalid_record);
  EXPECT_EQ(
      outcome([](byte_buffer& b) { b[batch_layout::attributes + 1] |= std::byte{0x20}; }).code(),
      error_code::invalid_record);
  EXPECT_EQ(
      outcome([](byte_buffer& b) { b[batch_layout::attributes + 1] |= std::byte{0x10}; }).code(),
      error_code::invalid_record);
  EXPECT_EQ(outcome([](byte_buffer& b) {
              stamp_producer(b, producer_id_t(1), producer_epoch_t(0), no_sequence);
            }).code(),
            error_code::invalid_record);
  EXPECT_EQ(
      outcome([](byte_buffer& b) { b[batch_layout::attributes + 1] |= std::byte{0x07}; }).code(),
      error_code::corrupt);
}

TEST(RecordIteratorTest, DamagedRecordsNeverReadOutside) {
  seeded_random random(test_seed());
  for (int round = 0; round < 20'000; ++round) {
    batch_builder builder;
    for (auto left = 1 + random.below(4); left > 0; --left) append(builder, random_record(random));
    byte_buffer bytes = std::move(builder).finish({});
    if (bytes.size() > 2000) continue;
    for (auto left = 1 + random.below(4); left > 0; --left) {
      const std::size_t at = batch_layout::last_offset_delta +
                             random.below(bytes.size() - batch_layout::last_offset_delta);
      bytes[at] = static_cast<std::byte>(random.next());
    }
    const batch_view batch(bytes);
    const byte_buffer records = to_buffer(batch.records());  // an own block: sanitizers see its end
    (void)validate(batch, validation_level::produced);
    (void)validate_records(batch, records);
    (void)parse_transaction_marker(batch);
  }
}

void expect_fields(const batch_view& batch, const std::map<std::string, std::string>& wanted) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  const auto horizon = batch.delete_horizon_ms();
  const bool created = batch.timestamps() == timestamp_type::create_time;
  EXPECT_EQ(text(batch.base_offset()), wanted.at("baseOffset"));
  EXPECT_EQ(text(batch.last_offset()), wanted.at("lastOffset"));
  EXPECT_EQ(text(batch.count()), wanted.at("count"));
  EXPECT_EQ(text(batch.base_sequence()), wanted.at("baseSequence"));
  EXPECT_EQ(text(batch.last_sequence()), wanted.at("lastSequence"));
  EXPECT_EQ(text(batch.producer_id()), wanted.at("producerId"));
  EXPECT_EQ(text(batch.producer_epoch()), wanted.at("producerEpoch"));
  EXPECT_EQ(text(batch.partition_leader_epoch()), wanted.at("partitionLeaderEpoch"));
  EXPECT_EQ(text(batch.is_transactional()), wanted.at("isTransactional"));
  EXPECT_EQ(text(batch.is_control()), wanted.at("isControl"));
  EXPECT_EQ(horizon ? text(*horizon) : "-", wanted.at("deleteHorizonMs"));
  EXPECT_EQ(created ? "CreateTime" : "LogAppendTime", wanted.at("ts_type"));
  EXPECT_EQ(text(batch.max_timestamp()), wanted.at("max_timestamp"));
  EXPECT_EQ(text(batch.size_in_bytes()), wanted.at("size"));
  EXPECT_EQ(text(batch.magic()), wanted.at("magic"));
  EXPECT_EQ(text(batch.stored_crc()), wanted.at("crc"));
  EXPECT_TRUE(validate(batch, validation_level::checksum).ok());
  if (batch.compression() == compression_type::none) {
    EXPECT_TRUE(validate_records(batch, batch.records()).ok());
  }
}

TEST(GoldenBatchesTest, EveryFieldOfEveryBatch) {
  GOLDEN_OR_SKIP();
  for (const std::string which : {"clean", "killed"}) {
    const golden::directory log(which);
    std::string name;
    byte_buffer file;
    std::size_t at = 0;
    std::size_t batches = 0;
    for (const golden::batch& wanted : golden::batches(which)) {
      if (wanted.file != name) {
        name = wanted.file;
        file = golden::read_bytes(log.path() / name);
        at = 0;
      }
      SCOPED_TRACE(which + " " + name + " at " + std::to_string(at));
      auto parsed = parse_batch(bytes_view(file).subspan(at));
      ASSERT_TRUE(parsed.ok()) << parsed.failure().message;
      ASSERT_TRUE(parsed->has_value());
      ASSERT_EQ(at, wanted.number("position"));
      expect_fields(**parsed, wanted.fields);
      at += (*parsed)->size_in_bytes();
      ++batches;
    }
    EXPECT_GT(batches, 1000u);
  }
}

}  // namespace
}  // namespace ringlog::model
