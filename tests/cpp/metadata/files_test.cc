// The files around the metadata log, in bytes.

#include <gtest/gtest.h>

#include "metadata/quorum_state.h"
#include "metadata/snapshot.h"
#include "protocol/stored/metadata_record.h"

namespace ringlog::metadata {
namespace {

snapshot small_snapshot(int topics) {
  snapshot made;
  made.last_timestamp = 7;
  made.kraft_version.emplace().k_raft_version = 1;
  for (int i = 0; i < topics; ++i) {
    protocol::topic_record record;
    record.name = fmt::format("topic-{}", i);
    made.records.push_back({std::move(record), 0});
  }
  return made;
}

TEST(QuorumState, IsWrittenAsKafkaWritesIt) {
  quorum_state state{node_id_t(1), leader_epoch_t(3), 0};
  EXPECT_EQ(state.to_json(),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":3,"votedId":-1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1}],"data_version":0})");
  state.data_version = 1;
  EXPECT_EQ(state.to_json(), R"({"leaderId":1,"leaderEpoch":3,"votedId":-1,)"
                             R"("votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
}

TEST(QuorumState, IsReadBack) {
  const auto read = quorum_state::parse(
      R"({"leaderId": -1, "leaderEpoch" : 42,"votedDirectoryId":"x","data_version":1})");
  ASSERT_TRUE(read.ok()) << read.failure().message;
  EXPECT_EQ(read->leader, node_id_t(-1));
  EXPECT_EQ(read->epoch, leader_epoch_t(42));
  EXPECT_EQ(read->data_version, 1);
}

TEST(QuorumState, OfAnotherKindIsRefused) {
  EXPECT_EQ(quorum_state::parse("").code(), error_code::corrupt);
  EXPECT_EQ(quorum_state::parse(R"({"leaderId":1,"leaderEpoch":"x","data_version":1})").code(),
            error_code::corrupt);
  EXPECT_EQ(quorum_state::parse(R"({"leaderId":1,"leaderEpoch":2,"data_version":2})").code(),
            error_code::unsupported);
}

TEST(SnapshotId, IsItsFileName) {
  const snapshot_id id{offset_t(577), leader_epoch_t(2)};
  EXPECT_EQ(id.file_name(), "00000000000000000577-0000000002.checkpoint");
  EXPECT_EQ(snapshot_id::parse(id.file_name()), id);
  for (const char* other :
       {"00000000000000000577-0000000002.checkpoint.part", "bootstrap.checkpoint",
        "0000000000000000057x-0000000002.checkpoint", "00000000000000000577_0000000002.checkpoint",
        "00000000000000000577-9999999999.checkpoint", ""}) {
    EXPECT_EQ(snapshot_id::parse(other), std::nullopt) << other;
  }
  EXPECT_LT((snapshot_id{offset_t(5), leader_epoch_t(9)}),
            (snapshot_id{offset_t(6), leader_epoch_t(1)}));
}

TEST(Snapshot, IsReadBack) {
  for (const int topics : {0, 1, 100'000}) {  // more than one batch
    const snapshot made = small_snapshot(topics);
    const byte_buffer bytes = encode_snapshot(made, leader_epoch_t(2), 1000).value();
    const auto read = decode_snapshot(bytes);
    ASSERT_TRUE(read.ok()) << read.failure().message;
    EXPECT_EQ(read->last_timestamp, 7);
    EXPECT_EQ(read->kraft_version->k_raft_version, 1);
    EXPECT_FALSE(read->voters.has_value());
    EXPECT_TRUE(read->records == made.records);
  }
}

TEST(Snapshot, CutOffAnywhereIsRefused) {
  const byte_buffer bytes = encode_snapshot(small_snapshot(3), leader_epoch_t(2), 1000).value();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_snapshot(bytes_view(bytes).first(size)).code(), error_code::corrupt) << size;
  }
}

TEST(Snapshot, WithAWrongByteIsRefused) {
  const byte_buffer bytes = encode_snapshot(small_snapshot(3), leader_epoch_t(2), 1000).value();
  const std::size_t header = 61;
  for (std::size_t i = header; i < bytes.size(); i += 7) {
    byte_buffer damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    const auto read = decode_snapshot(damaged);
    // What the checksum does not cover are offset and epoch of the batches.
    if (read.ok()) {
      EXPECT_TRUE(read->records == small_snapshot(3).records) << i;
    }
  }
}

}  // namespace
}  // namespace ringlog::metadata
