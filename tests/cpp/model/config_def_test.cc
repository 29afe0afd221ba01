#include "model/config_def.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "golden.h"

namespace ringlog::model {
namespace {

std::string_view type_name(config_type type) {
  constexpr std::string_view names[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                        "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
  return names[static_cast<std::size_t>(type) - 1];
}

std::string_view importance_name(config_importance importance) {
  constexpr std::string_view names[] = {"HIGH", "MEDIUM", "LOW"};
  return names[static_cast<std::size_t>(importance)];
}

// name, type, default, valid, importance, as the reference tables write them
std::vector<std::string> reference_lines(const std::string& file) {
  std::ifstream reference(golden::folder().parent_path() / "reference" / "kafka_messages" / file);
  std::vector<std::string> lines;
  std::string line;
  std::getline(reference, line);  // the column names
  while (std::getline(reference, line)) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> our_lines(std::span<const config_definition> definitions) {
  std::vector<std::string> lines;
  for (const config_definition& definition : definitions) {
    if (definition.name.starts_with("ringlog.")) continue;  // our own
    lines.push_back(fmt::format("{}\t{}\t{}\t{}\t{}", definition.name, type_name(definition.type),
                                definition.documented_default, definition.valid,
                                importance_name(definition.importance)));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST(ConfigTablesTest, AreKafkas) {
  GOLDEN_OR_SKIP();
  EXPECT_EQ(our_lines(topic_configs()), reference_lines("topic_configs.tsv"));
  EXPECT_EQ(our_lines(broker_configs()), reference_lines("broker_configs.tsv"));
}

TEST(ConfigTablesTest, AreSortedAndTheirDefaultsAreValid) {
  for (const auto definitions : {topic_configs(), broker_configs()}) {
    EXPECT_TRUE(std::is_sorted(definitions.begin(), definitions.end(),
                               [](const auto& a, const auto& b) { return a.name < b.name; }));
    for (const config_definition& definition : definitions) {
      if (!definition.default_value()) continue;
      const status outcome = check_config_value(definition, *definition.default_value());
      EXPECT_TRUE(outcome.ok()) << outcome.failure().message;
    }
  }
  for (const config_definition& definition : topic_configs()) {
    EXPECT_FALSE(definition.documentation.empty()) << definition.name;
    for (const topic_config_synonym& synonym : synonyms_of(definition.name)) {
      EXPECT_NE(find_broker_config(synonym.broker_name), nullptr) << synonym.broker_name;
    }
  }
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::filesystem::path source_top = RINGLOG_SOURCE_DIR;

// All sources but the tables, in which every name stands, and a client's own configs, some of which
// are called as a broker's.
std::string sources() {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source_top / "cpp")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_configs.cc") || name == "client_properties.cc") continue;
    if (entry.is_regular_file()) all += read_text(entry.path());
  }
  return all;
}

// True without anybody looking: every acknowledged record is synced, and the effective
// min.insync.replicas is at most the one replica there is.
bool holds_by_itself(std::string_view topic_config) {
  return topic_config == "flush.messages" || topic_config == "flush.ms" ||
         topic_config == "min.insync.replicas";
}

TEST(ConfigTablesTest, WhatTheTablesCallEffectiveIsLookedAt) {
  const std::string all = sources();
  std::set<std::string_view> acting_defaults;  // broker configs behind topic configs that act
  for (const config_definition& definition : topic_configs()) {
    if (!definition.not_yet.empty()) continue;
    EXPECT_TRUE(holds_by_itself(definition.name) ||
                all.find(fmt::format("\"{}\"", definition.name)) != std::string::npos)
        << definition.name;
    for (const auto& synonym : synonyms_of(definition.name)) {
      acting_defaults.insert(synonym.broker_name);
    }
  }
  for (const config_definition& definition : broker_configs()) {
    const bool acts = acting_defaults.contains(definition.name) ||
                      all.find(fmt::format("\"{}\"", definition.name)) != std::string::npos;
    EXPECT_EQ(definition.not_yet.empty(), acts) << definition.name;
    EXPECT_EQ(definition.documentation.empty(), !acts) << definition.name;
  }
}

TEST(ConfigTablesTest, LimitsNameWhatIsOnlyStored) {
  std::string limits = read_text(source_top / "docs" / "limits.md");
  const std::size_t section = limits.find("## Topic configs that are stored");
  ASSERT_NE(section, std::string::npos);
  limits.erase(0, section);
  for (const config_definition& definition : topic_configs()) {
    const bool named = limits.find(fmt::format("`{}", definition.name)) != std::string::npos;
    const bool excepted = definition.name == "cleanup.policy" || definition.name == "segment.bytes";
    EXPECT_TRUE(excepted || named != definition.not_yet.empty()) << definition.name;
  }
}

std::string refusal(std::string_view name, std::string_view value) {
  const status outcome = check_config_value(*find_topic_config(name), value);
  return outcome.ok() ? "" : outcome.failure().message;
}

TEST(ConfigCheckTest, AcceptsWhatKafkaAccepts) {
  EXPECT_EQ(refusal("retention.ms", " -1 "), "");
  EXPECT_EQ(refusal("cleanup.policy", "compact, delete"), "");
  EXPECT_EQ(refusal("compression.gzip.level", "-1"), "");
  EXPECT_EQ(refusal("compression.gzip.level", "9"), "");
  EXPECT_EQ(refusal("min.cleanable.dirty.ratio", "0.25"), "");
  EXPECT_EQ(refusal("preallocate", "TRUE"), "");
  EXPECT_EQ(refusal("leader.replication.throttled.replicas", "0:1,2:1"), "");
  EXPECT_EQ(refusal("leader.replication.throttled.replicas", "*"), "");
}

TEST(ConfigCheckTest, RefusesInKafkasWords) {
  EXPECT_EQ(refusal("retention.ms", "abc"),
            "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  EXPECT_EQ(refusal("segment.bytes", "3000000000"),
            "Invalid value 3000000000 for configuration segment.bytes: Not a number of type INT");
  EXPECT_EQ(refusal("segment.bytes", "1000"),
            "Invalid value 1000 for configuration segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(refusal("retention.ms", "-2"),
            "Invalid value -2 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(refusal("min.cleanable.dirty.ratio", "1.5"),
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more "
            "than 1");
  EXPECT_EQ(refusal("compression.gzip.level", "0"),
            "Invalid value 0 for configuration compression.gzip.level: Value must be at least 1");
  EXPECT_EQ(refusal("preallocate", "yes"),
            "Invalid value yes for configuration preallocate: Expected value to be either true or "
            "false");
  EXPECT_EQ(refusal("cleanup.policy", "shrink"),
            "Invalid value shrink for configuration cleanup.policy: String must be one of: "
            "compact, delete");
  EXPECT_EQ(refusal("cleanup.policy", "delete,delete"),
            "Configuration 'cleanup.policy' values must not be duplicated.");
  EXPECT_NE(refusal("leader.replication.throttled.replicas", "a:b"), "");
}

TEST(TopicConfigsTest, OwnBeforeBrokersBeforeDefault) {
  const auto broker = parse_broker_configs(
      {{"log.retention.hours", "2"}, {"log.segment.bytes", "2097152"}, {"super.users", "x"}});
  ASSERT_TRUE(broker.ok()) << broker.failure().message;
  auto topic = parse_topic_configs(*broker, {{"segment.bytes", "4194304"}});
  ASSERT_TRUE(topic.ok()) << topic.failure().message;
  EXPECT_EQ(topic->number("retention.ms"), 2 * 3600 * 1000);
  EXPECT_EQ(topic->number("segment.bytes"), 4194304);
  EXPECT_EQ(topic->number("segment.ms"), 604'800'000);
  EXPECT_TRUE(topic->is_set("segment.bytes"));
  EXPECT_FALSE(topic->is_set("retention.ms"));
  EXPECT_TRUE(topic->list_has("cleanup.policy", "delete"));
  EXPECT_FALSE(topic->flag("preallocate"));
  EXPECT_DOUBLE_EQ(topic->fraction("min.cleanable.dirty.ratio"), 0.5);
  EXPECT_EQ(topic->text("compression.type"), "producer");
  EXPECT_EQ(topic->optional_number("internal.segment.bytes"), std::nullopt);
}

TEST(TopicConfigsTest, ShorterUnitsWin) {
  const auto retention = [](const config_map& settings) {
    return parse_topic_configs(*parse_broker_configs(settings), {})->number("retention.ms");
  };
  EXPECT_EQ(retention({}), 604'800'000);
  EXPECT_EQ(retention({{"log.retention.hours", "1"}, {"log.retention.minutes", "2"}}), 120'000);
  EXPECT_EQ(retention({{"log.retention.ms", "5"}, {"log.retention.minutes", "2"}}), 5);
  EXPECT_EQ(retention({{"log.retention.hours", "-1"}}), -1);
}

TEST(TopicConfigsTest, RefusesUnknownAndContradictory) {
  const config_values broker = *parse_broker_configs({});
  const auto refused = [&](const config_map& overrides) {
    auto outcome = parse_topic_configs(broker, overrides);
    EXPECT_EQ(outcome.code(), error_code::invalid_config);
    return outcome.failure().message;
  };
  EXPECT_EQ(refused({{"retention.m", "1"}}),
            "Unknown topic config name: retention.m (the nearest known name is retention.ms)");
  EXPECT_NE(
      refused({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "5"}}).find("conflict"),
      std::string::npos);
  EXPECT_NE(refused({{"remote.storage.enable", "true"}}).find("Tiered"), std::string::npos);
}

TEST(TopicConfigsTest, WarnsOfWhatIsOnlyStored) {
  EXPECT_TRUE(topic_config_warnings({{"retention.ms", "1"}, {"cleanup.policy", "delete"}}).empty());
  EXPECT_EQ(topic_config_warnings({{"preallocate", "true"}}).size(), 1u);
  EXPECT_EQ(topic_config_warnings({{"cleanup.policy", "compact"}}).size(), 1u);
}

TEST(BrokerConfigsTest, BadValuesAndUnknownNames) {
  auto bad = parse_broker_configs({{"num.partitions", "0"}});
  ASSERT_EQ(bad.code(), error_code::invalid_config);
  EXPECT_EQ(bad.failure().message,
            "Invalid value 0 for configuration num.partitions: Value must be at least 1");
  EXPECT_EQ(unknown_names(broker_configs(), {{"num.partition", "1"}, {"node.id", "1"}}),
            std::vector<std::string>{"num.partition"});
  EXPECT_EQ(nearest_name(broker_configs(), "num.partition"), "num.partitions");
}

}  // namespace
}  // namespace ringlog::model
