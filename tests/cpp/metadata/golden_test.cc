// The metadata of the golden directories: our image says what Kafka's snapshots and its admin
// client say.

#include <algorithm>

#include "golden.h"
#include "metadata/image_builder.h"
#include "metadata/image_records.h"
#include "metadata/record_batches.h"
#include "metadata/snapshot.h"
#include "model/record_batch.h"

namespace ringlog::metadata {
namespace {

using golden::json;

snapshot read_golden_snapshot(const golden::directory& unpacked, const snapshot_id& id) {
  return decode_snapshot(
             golden::read_bytes(unpacked.partition("__cluster_metadata", 0) / id.file_name()))
      .value();
}

// Applies the log from one offset up to another.
void replay(image_builder& builder, const golden::directory& unpacked, offset_t from, offset_t to) {
  const byte_buffer bytes =
      golden::read_bytes(unpacked.partition("__cluster_metadata", 0) / "00000000000000000000.log");
  bytes_view left = bytes;
  while (true) {
    const auto batch = model::parse_batch(left);
    if (!batch.ok() || !batch->has_value() || (*batch)->base_offset() >= to) return;
    left = left.subspan((*batch)->size_in_bytes());
    if ((*batch)->last_offset() < from) continue;
    const status applied = for_each_record(
        (*batch)->bytes(),
        [](const model::batch_view&, model::control_type, bytes_view) { return status(); },
        [&](const model::batch_view&, protocol::metadata_record record) {
          return builder.apply(record);
        });
    ASSERT_TRUE(applied.ok()) << applied.failure().message;
  }
}

// Kafka's snapshots have the features of a registration in the order of a hash map.
template <typename Registration>
void sort_features(Registration& registration) {
  std::sort(registration.features.begin(), registration.features.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
}

std::vector<std::string> sorted_json(std::vector<protocol::metadata_record> records) {
  std::vector<std::string> lines;
  for (auto& record : records) {
    using protocol::register_broker_record, protocol::register_controller_record;
    if (auto* broker = std::get_if<register_broker_record>(&record.message)) sort_features(*broker);
    if (auto* controller = std::get_if<register_controller_record>(&record.message)) {
      sort_features(*controller);
    }
    lines.push_back(to_json(record));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Those in one but not in the other.
std::vector<std::string> difference(const std::vector<std::string>& left,
                                    const std::vector<std::string>& right) {
  std::vector<std::string> found;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(),
                      std::back_inserter(found));
  return found;
}

const snapshot_id newest{offset_t(584), leader_epoch_t(2)};

TEST(Golden, TheLogUpToASnapshotMakesTheRecordsOfTheSnapshot) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("clean");
  for (const snapshot_id id : {snapshot_id{offset_t(577), leader_epoch_t(2)}, newest}) {
    image_builder builder{image{}};
    replay(builder, unpacked, offset_t(0), id.end_offset);
    const image_ptr ours = std::move(builder).finish();
    const snapshot theirs = read_golden_snapshot(unpacked, id);
    EXPECT_GT(theirs.records.size(), 250u);
    const auto our_lines = sorted_json(records_of(*ours));
    const auto their_lines = sorted_json(theirs.records);
    EXPECT_EQ(difference(our_lines, their_lines), std::vector<std::string>{});
    EXPECT_EQ(difference(their_lines, our_lines), std::vector<std::string>{});
  }
}

TEST(Golden, ASnapshotAndTheLogBehindItMakeTheSameAsTheLog) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("killed");
  const offset_t end(1'000'000);
  image_builder from_log{image{}};
  replay(from_log, unpacked, offset_t(0), end);
  image_builder from_snapshot{image{}};
  for (const auto& record : read_golden_snapshot(unpacked, newest).records) {
    ASSERT_TRUE(from_snapshot.apply(record).ok());
  }
  replay(from_snapshot, unpacked, newest.end_offset, end);
  EXPECT_EQ(records_of(*std::move(from_log).finish()),
            records_of(*std::move(from_snapshot).finish()));
}

TEST(Golden, TopicsAreThoseThatTheAdminClientSaw) {
  GOLDEN_OR_SKIP();
  for (const char* which : {"clean", "killed"}) {
    const golden::directory unpacked(which);
    image_builder builder{image{}};
    replay(builder, unpacked, offset_t(0), offset_t(1'000'000));
    const image_ptr now = std::move(builder).finish();
    int topics = 0;
    const json document = golden::document(which, "topics.json");
    for (const auto& [name, expected] : document.items()) {
      const topic_ptr topic = now->find_topic(name);
      ASSERT_NE(topic, nullptr) << name;
      EXPECT_EQ(topic->id.to_string(), expected.at("topic_id").get<std::string>()) << name;
      const json configs = now->configs_of({config_resource_type::topic, name});
      EXPECT_EQ(configs, expected.at("configs")) << name;
      EXPECT_EQ(topic->partitions.size(), expected.at("partition_count").get<std::size_t>())
          << name;
      ++topics;
    }
    EXPECT_GT(topics, 35);
    EXPECT_EQ(now->feature_level("metadata.version"), 30);
  }
}

TEST(Golden, AKafkaSnapshotWrittenAgainHasTheSameBytes) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("clean");
  for (const snapshot_id id : {snapshot_id{}, newest}) {
    const byte_buffer theirs =
        golden::read_bytes(unpacked.partition("__cluster_metadata", 0) / id.file_name());
    const auto first = model::parse_batch(theirs).value().value();
    const byte_buffer ours =
        encode_snapshot(decode_snapshot(theirs).value(), id.epoch, first.max_timestamp()).value();
    ASSERT_EQ(ours.size(), theirs.size());
    EXPECT_TRUE(equal(bytes_view(ours).first(first.size_in_bytes()), first.bytes()));
  }
}

}  // namespace
}  // namespace ringlog::metadata
