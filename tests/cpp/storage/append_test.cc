// What an append checks and what becomes of producers and transactions.

#include "codec/codec.h"
#include "storage/log_fixture.h"

namespace ringlog::storage {
namespace {

class append_test : public log_test {
 protected:
  error_code refused(const byte_buffer& bytes, append_options options = {}) {
    byte_buffer given = bytes;
    const log_offsets before = log_->offsets();
    const auto info = log_->append_as_leader(std::move(given), options);
    EXPECT_FALSE(info.ok());
    EXPECT_EQ(given, bytes) << "left as it was";
    EXPECT_EQ(log_->offsets(), before);
    return info.ok() ? error_code::internal : info.code();
  }

  static test_batch idempotent(std::int32_t sequence, int count = 1, std::int16_t epoch = 0) {
    return {.count = count,
            .value = "s" + std::to_string(sequence),
            .producer_id = producer_id_t(7),
            .producer_epoch = producer_epoch_t(epoch),
            .base_sequence = sequence};
  }

  append_info append_transactional(std::int64_t id, std::int32_t sequence,
                                   const std::string& value) {
    return append({.value = value,
                   .producer_id = producer_id_t(id),
                   .producer_epoch = producer_epoch_t(0),
                   .base_sequence = sequence,
                   .transactional = true});
  }

  append_info mark(std::int64_t id, model::control_type type) {
    const model::transaction_marker marker{type, 3};
    const auto info = log_->append_as_leader(
        model::make_transaction_marker_batch(marker, producer_id_t(id), producer_epoch_t(0),
                                             clock_.wall_ms()),
        {.origin = append_origin::coordinator});
    EXPECT_TRUE(info.ok()) << info.failure().message;
    EXPECT_TRUE(wait(*info).ok());
    return *info;
  }

  std::vector<aborted_transaction> aborted(offset_t from) {
    return log_->read(from, 1 << 20, read_bound::last_stable)->aborted;
  }
};

TEST_F(append_test, RefusesWhatNoLogMayTake) {
  log_config config;
  config.message_bytes_max = 300;
  start(config);
  byte_buffer damaged = make_batch();
  damaged.back() ^= std::byte{1};
  EXPECT_EQ(refused(damaged), error_code::corrupt);
  byte_buffer torn = make_batch();
  torn.pop_back();
  EXPECT_EQ(refused(torn), error_code::corrupt);
  EXPECT_EQ(refused({}), error_code::invalid_record);
  EXPECT_EQ(refused(make_batch({.value = std::string(400, 'x')})), error_code::message_too_large);
  EXPECT_EQ(refused(make_batch({.timestamp = clock_.wall_ms() + 2 * 3'600'000})),
            error_code::invalid_timestamp);
  EXPECT_EQ(refused(model::make_transaction_marker_batch({model::control_type::commit, 0},
                                                         producer_id_t(1), producer_epoch_t(0), 1)),
            error_code::invalid_record);
  byte_buffer legacy = make_batch();
  legacy[model::batch_layout::magic] = std::byte{1};
  EXPECT_EQ(refused(legacy), error_code::unsupported);
  config.cleanup_compact = true;
  config.message_bytes_max = 1'000'000;
  log_->set_config(config);
  model::batch_builder without_key;
  without_key.append(clock_.wall_ms(), std::nullopt, as_bytes("v"));
  EXPECT_EQ(refused(std::move(without_key).finish({})), error_code::invalid_record);
  config.cleanup_compact = false;
  config.segment_bytes = 1000;
  log_->set_config(config);
  EXPECT_EQ(refused(make_batch({.value = std::string(2000, 'x')})),
            error_code::record_list_too_large);
  stop();
  EXPECT_FALSE(fs::exists(partition()));
}

TEST_F(append_test, RecodesToTheTopicsCodecAndStampsAppendTime) {
  log_config config;
  config.compression = compression_type::zstd;
  config.message_timestamp_type = timestamp_type::log_append_time;
  start(config);
  const auto info = append({.count = 3, .value = std::string(500, 'a')});
  EXPECT_EQ(info.log_append_timestamp, clock_.wall_ms());
  const auto answer = log_->read(offset_t(0), 1 << 20, read_bound::high_watermark);
  const auto batches = batches_of(*answer);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].compression(), compression_type::zstd);
  EXPECT_EQ(batches[0].timestamps(), timestamp_type::log_append_time);
  EXPECT_EQ(batches[0].max_timestamp(), clock_.wall_ms());
  EXPECT_LT(batches[0].bytes().size(), 400u);
  EXPECT_TRUE(model::validate(batches[0], model::validation_level::checksum).ok());
  const auto plain = codec::decompress(compression_type::zstd, batches[0].records());
  EXPECT_TRUE(plain.ok() && model::validate_records(batches[0], *plain).ok());
  stop();
}

TEST_F(append_test, ResentBatchesAnswerTheFirstOffsetsEvenAfterAKillAndARoll) {
  log_config config;
  config.segment_bytes = 200;  // every other batch begins a segment
  start(config);
  for (std::int32_t sequence = 0; sequence < 10; sequence += 2) {
    EXPECT_EQ(append(idempotent(sequence, 2)).first_offset, offset_t(sequence));
  }
  for (int round = 0; round < 2; ++round) {
    for (std::int32_t sequence = 0; sequence < 10; sequence += 2) {
      const append_info again = append(idempotent(sequence, 2));
      EXPECT_TRUE(again.duplicate);
      EXPECT_EQ(again.first_offset, offset_t(sequence));
      EXPECT_EQ(again.last_offset, offset_t(sequence + 1));
    }
    EXPECT_EQ(log_->offsets().log_end, offset_t(10));
    if (round == 0) kill();
    if (round == 0) start(config);
  }
  append(idempotent(10, 2));
  EXPECT_EQ(refused(make_batch(idempotent(0, 2))), error_code::out_of_order_sequence)
      << "too long ago to be known";
  stop();
}

TEST_F(append_test, SequencesAndEpochsOfProducers) {
  start();
  append(idempotent(0));
  EXPECT_EQ(refused(make_batch(idempotent(2))), error_code::out_of_order_sequence);
  append(idempotent(1));
  EXPECT_EQ(refused(make_batch(idempotent(5, 1, 1))), error_code::out_of_order_sequence)
      << "a new epoch starts at 0";
  append(idempotent(0, 1, 1));
  EXPECT_EQ(refused(make_batch(idempotent(2, 1, 0))), error_code::invalid_producer_epoch);
  stop();
  start();
  EXPECT_EQ(refused(make_batch(idempotent(3, 1, 1))), error_code::out_of_order_sequence);
  append(idempotent(1, 1, 1));
  ASSERT_EQ(log_->producers().size(), 1u);
  EXPECT_EQ(log_->producers()[0].last_sequence, 1);
  clock_.set_wall_ms(clock_.wall_ms() + 2 * 86'400'000);
  stop();
  start();
  EXPECT_TRUE(log_->producers().empty()) << "idle for longer than producer.id.expiration.ms";
  stop();
}

TEST_F(append_test, SequenceNumbersWrap) {
  start();
  append(idempotent(INT32_MAX - 1, 2));
  append(idempotent(0, 3));
  EXPECT_TRUE(append(idempotent(INT32_MAX - 1, 2)).duplicate);
  stop();
}

TEST_F(append_test, TransactionsBoundTheLastStableOffsetAndTheAbortedList) {
  start();
  append({.value = "plain"});               // 0
  append_transactional(1, 0, "aborted");    // 1
  append_transactional(2, 0, "committed");  // 2
  append({.value = "plain"});               // 3
  EXPECT_EQ(log_->offsets().last_stable, offset_t(1));
  EXPECT_EQ(log_->offsets().high_watermark, offset_t(4));
  mark(1, model::control_type::abort);  // 4
  EXPECT_EQ(log_->offsets().last_stable, offset_t(2));
  mark(2, model::control_type::commit);  // 5
  EXPECT_EQ(log_->offsets().last_stable, offset_t(6));
  append_transactional(1, 1, "open");  // 6
  const std::vector<aborted_transaction> expected{{producer_id_t(1), offset_t(1)}};
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(aborted(offset_t(0)), expected) << round;
    EXPECT_EQ(aborted(offset_t(4)), expected) << "its marker is still ahead";
    EXPECT_TRUE(aborted(offset_t(5)).empty());
    EXPECT_EQ(log_->offsets().last_stable, offset_t(6)) << round;
    EXPECT_EQ(log_->producers()[0].current_transaction_start, offset_t(6));
    if (round == 0) stop();
    if (round == 1) kill();
    if (round < 2) start();
  }
  EXPECT_EQ(refused(make_batch({.producer_id = producer_id_t(1),
                                .producer_epoch = producer_epoch_t(0),
                                .base_sequence = 2})),
            error_code::invalid_txn_state);
  stop();
}

TEST_F(append_test, FollowersKeepOffsetsAndEpochs) {
  start();
  byte_buffer bytes = make_batch({.count = 2});
  model::stamp_position(bytes, offset_t(10), leader_epoch_t(4));
  byte_buffer next = make_batch({.count = 1});
  model::stamp_position(next, offset_t(20), leader_epoch_t(6));
  ringlog::append(bytes, next);
  const auto info = log_->append_as_follower(std::move(bytes));
  ASSERT_TRUE(info.ok()) << info.failure().message;
  ASSERT_TRUE(wait(*info).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(content(), (std::vector<std::string>{"10=value", "11=value", "20=value"}));
    EXPECT_EQ(log_->end_offset_for_epoch(leader_epoch_t(4)),
              (epoch_end{leader_epoch_t(4), offset_t(20)}));
    EXPECT_EQ(log_->end_offset_for_epoch(leader_epoch_t(5)),
              (epoch_end{leader_epoch_t(4), offset_t(20)}));
    EXPECT_EQ(log_->end_offset_for_epoch(leader_epoch_t(6)),
              (epoch_end{leader_epoch_t(6), offset_t(21)}));
    byte_buffer behind = make_batch();
    model::stamp_position(behind, offset_t(15), leader_epoch_t(6));
    EXPECT_EQ(log_->append_as_follower(std::move(behind)).code(), error_code::invalid_argument);
    if (round == 0) kill();
    if (round == 0) start();
  }
  stop();
}

TEST_F(append_test, ManyThreadsAppendAndEveryAnswerIsTrue) {
  start();
  constexpr int threads = 4;
  constexpr int each = 300;
  std::vector<std::thread> running;
  std::mutex mutex;
  std::map<std::int64_t, std::string> expected;
  for (int number = 0; number < threads; ++number) {
    running.emplace_back([&, number] {
      for (int count = 0; count < each; ++count) {
        const std::string value = std::to_string(number) + "/" + std::to_string(count);
        const auto info = try_append({.value = value});
        ASSERT_TRUE(info.ok());
        if (count % 10 == 0) {
          ASSERT_TRUE(wait(*info).ok());
        }
        const std::lock_guard lock(mutex);
        expected[info->first_offset.value()] = value;
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  stop();
  start();
  std::vector<std::string> wanted;
  for (const auto& [offset, value] : expected)
    wanted.push_back(std::to_string(offset) + "=" + value);
  EXPECT_EQ(content(), wanted);
  stop();
}

}  // namespace
}  // namespace ringlog::storage
