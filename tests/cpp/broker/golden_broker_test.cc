// The log directories of Kafka 4.3.1, taken over and asked through the facade, with the settings
// they were made with.

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "broker/make_broker.h"
#include "golden.h"
#include "model/record_batch.h"
#include "storage/fixture.h"

namespace ringlog::broker {
namespace {

model::config_map golden_settings() {
  model::config_map settings;
  std::ifstream file(golden::folder() / "server.properties");
  for (std::string line; std::getline(file, line);) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    settings[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return settings;
}

class golden_broker : public storage::storage_environment {
 public:
  explicit golden_broker(const std::string& which) : unpacked_(which) {
    logs_ = open(unpacked_.path().string());
    metadata::metadata_log_options options;
    options.node = logs_->identity().node_id;
    options.cluster_id = logs_->identity().cluster_id;
    options.directory_id = logs_->identity().directory_id;
    controller_ = metadata::controller::open(outside(), *logs_, random_, options).value();
    const auto active = storage::await<status>(
        [&](callback<void(status)> done) { controller_->when_active(std::move(done)); });
    EXPECT_TRUE(active.ok());
    broker_options how;
    how.node = logs_->identity().node_id;
    how.static_configs = golden_settings();
    served_ = make_broker(
                  {engine_->engine(), clock_, random_, sink_, *logs_, *controller_, loggers_}, how)
                  .value();
  }
  // As after a kill: the engine stops first.
  ~golden_broker() {
    engine_->halt();
    served_.reset();
    controller_.reset();
    logs_.reset();
  }

  static golden_broker& get(const std::string& which) {
    static std::map<std::string, std::unique_ptr<golden_broker>> known;
    auto& found = known[which];
    if (found == nullptr) found = std::make_unique<golden_broker>(which);
    return *found;
  }

  broker& facade() { return *served_; }

  template <typename T, typename Start>
  static result<T> ask(Start start) {
    return storage::await<result<T>>([&](reply<T> done) { start(std::move(done)); });
  }
  std::int64_t offset(const topic_partition& tp, std::int64_t timestamp,
                      isolation_level isolation = isolation_level::read_uncommitted) {
    return ask<listed_offset>([&](auto done) {
             served_->list_offset({tp, timestamp, isolation}, std::move(done));
           })
        ->offset.value();
  }

 private:
  golden::directory unpacked_;
  std::unique_ptr<storage::log_manager> logs_;
  std::unique_ptr<metadata::controller> controller_;
  logger_set loggers_{sink_, log_level::warning};
  std::unique_ptr<broker> served_;
};

class golden_broker_test : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { GOLDEN_OR_SKIP(); }
  broker& facade() { return golden_broker::get(GetParam()).facade(); }
};

TEST_P(golden_broker_test, topics_offsets_and_configs) {
  const auto document = golden::document(GetParam(), "topics.json");
  golden_broker& golden = golden_broker::get(GetParam());
  EXPECT_EQ(facade().list_topics().size(), document.size());
  for (const auto& [name, wanted] : document.items()) {
    SCOPED_TRACE(name);
    const auto found = facade().find_topic(name);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->id.to_string(), wanted.at("topic_id").get<std::string>());
    EXPECT_EQ(found->internal, wanted.at("internal"));
    EXPECT_EQ(found->partitions.size(), wanted.at("partition_count"));

    std::map<std::string, std::string> set;
    const auto configs = facade().describe_configs({resource_type::topic, name});
    ASSERT_TRUE(configs.ok()) << configs.failure().message;
    for (const config_entry& entry : *configs) {
      if (entry.source == config_source::topic_config) set[entry.name] = *entry.value;
    }
    EXPECT_EQ(set, (wanted.at("configs").get<std::map<std::string, std::string>>()));

    for (const auto& partition : wanted.at("partitions")) {
      const topic_partition tp{name, partition_id_t(partition.at("partition").get<int>())};
      EXPECT_EQ(golden.offset(tp, earliest_timestamp), partition.at("start_offset"));
      EXPECT_EQ(golden.offset(tp, latest_timestamp), partition.at("end_offset"));
      EXPECT_EQ(golden.offset(tp, latest_timestamp, isolation_level::read_committed),
                partition.at("last_stable_offset"));
      EXPECT_EQ(golden.offset(tp, max_timestamp), partition.at("max_timestamp_offset"));
    }
  }
}

TEST_P(golden_broker_test, offsets_for_times) {
  golden_broker& golden = golden_broker::get(GetParam());
  for (const golden::time_answer& wanted : golden::offsets_for_times(GetParam())) {
    const topic_partition tp{wanted.partition.first, partition_id_t(wanted.partition.second)};
    EXPECT_EQ(golden.offset(tp, wanted.query_timestamp_ms), wanted.offset)
        << tp.to_string() << " at " << wanted.query_timestamp_ms;
  }
}

TEST_P(golden_broker_test, groups_are_listed_described_and_have_their_offsets) {
  const auto document = golden::document(GetParam(), "offsets.json");
  const auto listed = golden_broker::ask<std::vector<listed_group>>(
      [&](auto done) { facade().list_groups(std::move(done)); });
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->size(), document.size());
  for (const listed_group& group : *listed) {
    SCOPED_TRACE(group.group);
    ASSERT_TRUE(document.contains(group.group));
    const auto& wanted = document.at(group.group);
    EXPECT_EQ(group.type, wanted.at("type").get<std::string>());
    EXPECT_EQ(group.state, wanted.at("state").get<std::string>());
    const auto described = golden_broker::ask<described_group>(
        [&](auto done) { facade().describe_group(group.group, std::move(done)); });
    ASSERT_TRUE(described.ok());
    if (wanted.contains("members")) {
      EXPECT_EQ(described->members.size(), wanted.at("members").size());
    }
    if (group.type == "Share") continue;
    const auto fetched = golden_broker::ask<fetched_offsets>([&](auto done) {
      facade().fetch_offsets({group.group, std::nullopt, true, std::nullopt, -1}, std::move(done));
    });
    ASSERT_TRUE(fetched.ok());
    EXPECT_EQ(fetched->size(), wanted.at("offsets").size());
    for (const auto& [tp, committed] : *fetched) {
      EXPECT_EQ(committed->offset.value(), wanted.at("offsets").at(tp.to_string()).at("offset"));
    }
  }
}

TEST_P(golden_broker_test, every_batch_is_fetched_in_both_isolation_levels) {
  const auto expected = golden::records(GetParam());
  for (const auto isolation :
       {isolation_level::read_uncommitted, isolation_level::read_committed}) {
    for (const auto& [partition, records] : expected) {
      const topic_partition tp{partition.first, partition_id_t(partition.second)};
      const std::int64_t end =
          golden_broker::get(GetParam()).offset(tp, latest_timestamp, isolation);
      std::int64_t next = golden_broker::get(GetParam()).offset(tp, earliest_timestamp);
      while (next < end) {
        fetch_request request;
        request.partitions = {{tp, offset_t(next)}};
        request.isolation = isolation;
        const auto answer = golden_broker::ask<fetch_answer>(
            [&](auto done) { facade().fetch(request, std::move(done)); });
        const fetched_partition& got = answer->partitions.at(0);
        ASSERT_FALSE(got.failure) << got.failure->message;
        const std::int64_t before = next;
        for (const shared_bytes& piece : got.batches) {
          for (bytes_view left = piece.bytes; !left.empty();) {
            const auto batch = model::parse_batch(left).value();
            ASSERT_TRUE(batch.has_value());
            next = batch->next_offset().value();
            left = left.subspan(batch->size_in_bytes());
          }
        }
        ASSERT_GT(next, before) << tp.to_string();
      }
      EXPECT_GE(next, end) << tp.to_string();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(directories, golden_broker_test, testing::Values("clean", "killed"));

}  // namespace
}  // namespace ringlog::broker
