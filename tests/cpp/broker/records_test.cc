// Produce, fetch and what else concerns records, through the facade of a broker on a simulated
// computer.

#include <gtest/gtest.h>

#include "broker/broker_machine.h"
#include "broker/partition.h"
#include "random_seed.h"

namespace ringlog::broker {
namespace {

using strings = std::vector<std::string>;

class records_test : public testing::Test {
 protected:
  records_test() : computer(test_seed()) {
    EXPECT_TRUE(computer.start().ok());
    EXPECT_TRUE(computer.create("t", 2).ok());
  }

  // A fetch whose answer is not waited for.
  struct parked {
    broker::fetch_token token = 0;
    std::shared_ptr<std::optional<fetch_answer>> answer =
        std::make_shared<std::optional<fetch_answer>>();
    bool is_there() const { return answer->has_value(); }
    std::size_t batches() const { return (*answer)->partitions.at(0).batches.size(); }
  };
  parked park(fetch_request request) {
    parked made;
    made.token = computer.facade().fetch(
        std::move(request),
        [answer = made.answer](result<fetch_answer> got) { *answer = std::move(got.value()); });
    return made;
  }

  broker_machine computer;
};

TEST_F(records_test, what_is_produced_is_fetched) {
  EXPECT_EQ(computer.produce(at("t"), strings{"a", "b"})->base_offset, offset_t(0));
  EXPECT_EQ(computer.produce(at("t"), strings{"c"})->base_offset, offset_t(2));
  EXPECT_EQ(computer.values(at("t")), (strings{"a", "b", "c"}));
  EXPECT_EQ(computer.values(at("t"), 1), (strings{"b", "c"}));
  EXPECT_TRUE(computer.values(at("t", 1)).empty());
  const fetched_partition end = computer.fetch(computer.from(at("t"), 3));
  EXPECT_EQ(end.high_watermark, offset_t(3));
  EXPECT_TRUE(end.batches.empty());
}

TEST_F(records_test, acks_none_is_answered_before_the_disk) {
  bool answered = false;
  produce_request request;
  request.target = at("t");
  request.batches = computer.batch_of({"a"}, 0);
  request.acks = required_acks::none;
  ASSERT_TRUE(computer.produce(at("t"), strings{"first"}).ok());  // the epoch is raised by this one
  computer.facade().produce(std::move(request),
                            [&](const result<produce_answer>& answer) { answered = answer.ok(); });
  EXPECT_TRUE(answered);
}

TEST_F(records_test, wrong_targets_are_named) {
  EXPECT_EQ(computer.produce(at("none"), strings{"a"}).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.produce(at("t", 2), strings{"a"}).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.produce(at("__consumer_offsets"), strings{"a"}).code(),
            error_code::invalid_topic);
  EXPECT_EQ(computer.fetch(computer.from(at("none"), 0)).failure->code,
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.fetch(computer.from(at("t"), 1)).failure->code,
            error_code::offset_out_of_range);
}

TEST_F(records_test, damaged_batch_is_refused) {
  byte_buffer damaged = computer.batch_of({"a"}, 0);
  damaged.back() ^= std::byte{1};
  EXPECT_EQ(computer.produce(at("t"), std::move(damaged)).code(), error_code::corrupt);
  EXPECT_TRUE(computer.values(at("t")).empty());
}

TEST_F(records_test, fetch_waits_for_records) {
  const parked waiting = park(computer.from(at("t"), 0, 5'000));
  computer.world.run_for(milliseconds(1'000));
  EXPECT_FALSE(waiting.is_there());
  EXPECT_NE(waiting.token, 0U);
  ASSERT_TRUE(computer.produce(at("t", 1), strings{"other partition"}).ok());
  EXPECT_FALSE(waiting.is_there());
  ASSERT_TRUE(computer.produce(at("t"), strings{"a"}).ok());
  computer.world.run_for(milliseconds(1));
  ASSERT_TRUE(waiting.is_there());
  EXPECT_EQ(waiting.batches(), 1U);
}

TEST_F(records_test, fetch_waits_for_enough_bytes_or_its_time) {
  fetch_request request = computer.from(at("t"), 0, 5'000);
  request.bytes_min = 200;
  const parked waiting = park(request);
  ASSERT_TRUE(computer.produce(at("t"), strings{"a"}).ok());
  computer.world.run_for(milliseconds(100));
  EXPECT_FALSE(waiting.is_there());
  ASSERT_TRUE(computer.produce(at("t"), strings{std::string(200, 'b')}).ok());
  computer.world.run_for(milliseconds(1));
  EXPECT_TRUE(waiting.is_there());

  request.bytes_min = 1'000'000;
  const parked late = park(request);
  computer.world.run_for(milliseconds(4'900));
  EXPECT_FALSE(late.is_there());
  computer.world.run_for(milliseconds(200));
  ASSERT_TRUE(late.is_there());
  EXPECT_GE(late.batches(), 1U);  // what there is
}

TEST_F(records_test, parked_fetch_ends_when_cancelled_deleted_or_closed) {
  const parked cancelled = park(computer.from(at("t"), 0, 50'000));
  const parked deleted = park(computer.from(at("t", 1), 0, 50'000));
  ASSERT_TRUE(computer.create("u").ok());
  const parked closed = park(computer.from(at("u"), 0, 50'000));
  computer.facade().cancel_fetch(cancelled.token);
  EXPECT_TRUE(cancelled.is_there());
  computer.facade().cancel_fetch(cancelled.token);  // once more does nothing
  EXPECT_FALSE(deleted.is_there());
  ASSERT_TRUE(computer.delete_topic("t").ok());
  ASSERT_TRUE(deleted.is_there());
  EXPECT_EQ((*deleted.answer)->partitions.at(0).failure->code,
            error_code::unknown_topic_or_partition);
  computer.facade().close();
  EXPECT_TRUE(closed.is_there());
}

// Two callers may open a partition at once; the one whose object is not taken must not unhook the
// other's.
TEST_F(records_test, unused_partition_object_does_not_stop_waking) {
  const parked waiting = park(computer.from(at("t"), 0, 60'000));
  { const partition unused(computer.logs->find_log(at("t")), computer.broker_outside(), nullptr); }
  ASSERT_TRUE(computer.produce(at("t"), strings{"a"}).ok());
  computer.world.run_for(milliseconds(1));
  EXPECT_TRUE(waiting.is_there());
}

TEST_F(records_test, fetch_of_many_partitions_keeps_to_its_bytes) {
  const std::string kilobyte(1'000, 'x');
  for (std::int32_t p = 0; p < 2; ++p) {
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(computer.produce(at("t", p), strings{kilobyte}).ok());
    }
  }
  fetch_request request;
  request.partitions = {{at("t", 0), offset_t(0)}, {at("t", 1), offset_t(0)}};
  request.bytes_max = 3'500;
  const auto answer = computer.wait_for<fetch_answer>(
      [&](auto done) { computer.facade().fetch(request, std::move(done)); });
  std::size_t bytes = 0;
  for (const fetched_partition& partition : answer->partitions) {
    for (const shared_bytes& piece : partition.batches) bytes += piece.bytes.size();
  }
  EXPECT_LE(bytes, 3'500U);
  EXPECT_GE(bytes, 2'000U);
  request.bytes_max = 1;  // the first batch comes anyhow, or a consumer could never go on
  const auto one = computer.wait_for<fetch_answer>(
      [&](auto done) { computer.facade().fetch(request, std::move(done)); });
  EXPECT_EQ(one->partitions.at(0).batches.size(), 1U);
  EXPECT_TRUE(one->partitions.at(1).batches.empty());
}

TEST_F(records_test, offsets_are_listed) {
  ASSERT_TRUE(computer.produce(at("t"), computer.batch_of({"a"}, 1'000)).ok());
  ASSERT_TRUE(computer.produce(at("t"), computer.batch_of({"b"}, 3'000)).ok());
  ASSERT_TRUE(computer.produce(at("t"), computer.batch_of({"c"}, 2'000)).ok());
  EXPECT_EQ(computer.list_offset(at("t"), latest_timestamp)->offset, offset_t(3));
  EXPECT_EQ(computer.list_offset(at("t"), earliest_timestamp)->offset, offset_t(0));
  EXPECT_EQ(computer.list_offset(at("t"), max_timestamp)->offset, offset_t(1));
  EXPECT_EQ(computer.list_offset(at("t"), max_timestamp)->timestamp, 3'000);
  EXPECT_EQ(computer.list_offset(at("t"), 1'001)->offset, offset_t(1));
  EXPECT_EQ(computer.list_offset(at("t"), 3'001)->offset, no_offset);
  EXPECT_EQ(computer.list_offset(at("t"), -7).code(), error_code::invalid_argument);
  EXPECT_EQ(computer.list_offset(at("none"), latest_timestamp).code(),
            error_code::unknown_topic_or_partition);
}

TEST_F(records_test, deleted_records_are_gone_for_good) {
  ASSERT_TRUE(computer.produce(at("t"), strings{"a", "b", "c"}).ok());
  const auto delete_records = [&](std::int64_t before) {
    return computer.wait_for<offset_t>([&](auto done) {
      computer.facade().delete_records(at("t"), offset_t(before), std::move(done));
    });
  };
  EXPECT_EQ(delete_records(4).code(), error_code::offset_out_of_range);
  EXPECT_EQ(delete_records(2).value(), offset_t(2));
  EXPECT_EQ(computer.fetch(computer.from(at("t"), 1)).failure->code,
            error_code::offset_out_of_range);
  EXPECT_EQ(computer.list_offset(at("t"), earliest_timestamp)->offset, offset_t(2));
  ASSERT_TRUE(computer.restart().ok());
  EXPECT_EQ(computer.list_offset(at("t"), earliest_timestamp)->offset, offset_t(2));
  EXPECT_EQ(computer.values(at("t"), 2), strings{"c"});
  EXPECT_EQ(delete_records(-1).value(), offset_t(3));
}

TEST_F(records_test, leader_epoch_rises_with_the_first_append_after_a_start) {
  const auto epoch_of = [&](std::int32_t partition) {
    return computer.facade()
        .find_topic("t")
        ->partitions.at(static_cast<std::size_t>(partition))
        .leader_epoch;
  };
  EXPECT_EQ(epoch_of(0), leader_epoch_t(0));
  ASSERT_TRUE(computer.produce(at("t"), strings{"a"}).ok());
  ASSERT_TRUE(computer.produce(at("t"), strings{"b"}).ok());
  const leader_epoch_t first = epoch_of(0);
  EXPECT_EQ(first, leader_epoch_t(0));  // nobody can have appended before
  ASSERT_TRUE(computer.restart().ok());
  EXPECT_EQ(computer.values(at("t")), (strings{"a", "b"}));
  EXPECT_EQ(epoch_of(0), first);  // reading changes nothing
  ASSERT_TRUE(computer.produce(at("t"), strings{"c"}).ok());
  EXPECT_EQ(epoch_of(0), first + 1);
  EXPECT_EQ(epoch_of(1), leader_epoch_t(0));

  const auto end = computer.wait_for<epoch_end_offset>([&](auto done) {
    computer.facade().offset_for_leader_epoch({at("t"), first}, std::move(done));
  });
  EXPECT_EQ(end->end_offset, offset_t(2));

  fetch_request request = computer.from(at("t"), 0);
  request.partitions[0].current_leader_epoch = first;
  EXPECT_EQ(computer.fetch(request).failure->code, error_code::fenced_leader_epoch);
  request.partitions[0].current_leader_epoch = first + 2;
  EXPECT_EQ(computer.fetch(request).failure->code, error_code::unknown_leader_epoch);
  request.partitions[0].current_leader_epoch = first + 1;
  EXPECT_FALSE(computer.fetch(request).failure);
}

TEST_F(records_test, resent_batches_are_recognised_after_a_restart) {
  const auto init = [&](std::optional<producer_identity> current = std::nullopt) {
    return computer
        .wait_for<producer_identity>([&](auto done) {
          computer.facade().init_producer_id(std::nullopt, current, std::move(done));
        })
        .value();
  };
  const producer_identity producer = init();
  EXPECT_EQ(producer.epoch, producer_epoch_t(0));
  EXPECT_NE(init().id, producer.id);
  EXPECT_EQ(init(producer).id, producer.id);
  EXPECT_EQ(init(producer).epoch, producer_epoch_t(1));

  const auto numbered = [&](std::int32_t sequence) {
    model::batch_fields fields;
    fields.producer_id = producer.id;
    fields.producer_epoch = producer.epoch;
    fields.base_sequence = sequence;
    return computer.batch_of({"n" + std::to_string(sequence)}, computer.world.time().wall_ms(),
                             fields);
  };
  for (std::int32_t i = 0; i < 5; ++i) ASSERT_TRUE(computer.produce(at("t"), numbered(i)).ok());
  EXPECT_EQ(computer.produce(at("t"), numbered(6)).code(), error_code::out_of_order_sequence);
  ASSERT_TRUE(computer.restart().ok());
  const auto again = computer.produce(at("t"), numbered(4));
  ASSERT_TRUE(again.ok()) << again.failure().message;
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->base_offset, offset_t(4));
  EXPECT_EQ(computer.values(at("t")).size(), 5U);
  EXPECT_GE(init().id, producer_id_t(1'000));  // the rest of the last block is not used again

  const auto producers = computer.wait_for<std::vector<active_producer>>(
      [&](auto done) { computer.facade().describe_producers(at("t"), std::move(done)); });
  ASSERT_EQ(producers->size(), 1U);
  EXPECT_EQ(producers->at(0).last_sequence, 4);
}

TEST_F(records_test, transactions_are_not_written_yet) {
  const auto refused = computer.wait_for<producer_identity>(
      [&](auto done) { computer.facade().init_producer_id("tx", std::nullopt, std::move(done)); });
  EXPECT_EQ(refused.code(), error_code::transactional_id_authorization);
}

TEST_F(records_test, failed_disk_stops_appends_but_not_reads) {
  ASSERT_TRUE(computer.produce(at("t"), strings{"a"}).ok());
  computer.disk.faults.sync_error_one_in = 1;
  computer.disk.faults.write_error_one_in = 1;
  EXPECT_FALSE(computer.produce(at("t"), strings{"b"}).ok());
  EXPECT_EQ(computer.produce(at("t"), strings{"c"}).code(), error_code::storage_failed);
  EXPECT_EQ(computer.values(at("t")), strings{"a"});
}

// What was acknowledged is there after a crash, in order and once.
TEST(records_crash_test, acknowledged_records_survive) {
  seeded_random dice(test_seed());
  for (int round = 0; round < 25; ++round) {
    broker_machine computer(dice.next());
    ASSERT_TRUE(computer.start().ok());
    ASSERT_TRUE(computer.create("t", 2).ok());
    std::vector<strings> acknowledged(2);
    std::optional<std::int64_t> committed;
    const std::uint64_t dies_at = computer.disk.crash_points() + dice.below(120);
    computer.disk.observer = [&](const io::sim::crash_point& point) {
      if (point.number >= dies_at) computer.disk.power_off();
    };
    for (int i = 0; i < 60 && !computer.disk.is_off(); ++i) {
      const auto partition = static_cast<std::int32_t>(dice.below(2));
      const std::string value = std::to_string(i);
      if (computer.produce(at("t", partition), strings{value}).ok()) {
        acknowledged[static_cast<std::size_t>(partition)].push_back(value);
      }
      if (i % 5 == 4) {
        const auto done = computer.commit("g", at("t"), i);
        if (done.ok() && !done->at(0).second) committed = i;
      }
    }
    computer.disk.observer = nullptr;
    computer.crash();
    ASSERT_TRUE(computer.start().ok());
    for (std::int32_t p = 0; p < 2; ++p) {
      const strings& wanted = acknowledged[static_cast<std::size_t>(p)];
      strings found = computer.values(at("t", p));
      ASSERT_GE(found.size(), wanted.size());
      ASSERT_LE(found.size(), wanted.size() + 1);  // one may have been under way
      found.resize(wanted.size());
      EXPECT_EQ(found, wanted);
    }
    if (committed) {
      const auto found = computer.committed("g", at("t"));
      ASSERT_TRUE(found.has_value());
      EXPECT_GE(*found, *committed);
    }
  }
}

}  // namespace
}  // namespace ringlog::broker
