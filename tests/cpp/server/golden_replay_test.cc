// What clients asked Kafka 4.3.1, asked of our server: the answers have the same shape.
//
// The recorded pairs are samples, so they are asked in an order in which most of them make sense:
// topics are made first, members join before they commit. Topic ids and member ids that Kafka chose
// are exchanged for ours. An answer has the same shape when it is whole, in the same version, about
// the same topics, partitions and groups, with the same error codes and nulls. Where ours differs,
// `known_differences` says why.

#include <map>
#include <set>

#include "base/uuid.h"
#include "golden.h"
#include "protocol/wire/api_list.h"
#include "protocol/wire_messages.h"
#include "server/served_apis.h"
#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;
using golden::json;

// Of one client, in the order described above.
std::vector<json> recorded_by(const std::string& client) {
  static constexpr std::array first{
      api_key::create_topics,    api_key::create_partitions, api_key::incremental_alter_configs,
      api_key::alter_configs,    api_key::init_producer_id,  api_key::produce,
      api_key::find_coordinator, api_key::join_group,        api_key::sync_group,
      api_key::offset_commit,    api_key::heartbeat,         api_key::leave_group};
  static constexpr std::array last{api_key::offset_delete, api_key::delete_groups,
                                   api_key::delete_records, api_key::delete_topics};
  const auto rank = [](const json& recorded) -> std::ptrdiff_t {
    const api_key key{recorded.at("api_key").get<std::int16_t>()};
    const auto early = std::ranges::find(first, key);
    if (early != first.end()) return early - first.begin();
    return 100 +
           std::ranges::count(last, key) * (1 + (std::ranges::find(last, key) - last.begin()));
  };
  std::vector<json> all;
  std::ifstream lines(golden::folder() / "frames" / (client + ".jsonl"));
  for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
  std::ranges::stable_sort(all, {}, rank);
  return all;
}

bool is_served(const json& recorded) {
  return recorded.contains("request_json") &&
         std::ranges::any_of(served_apis(), [&](const api_info* api) {
           return api->key == recorded.at("api_key").get<std::int16_t>();
         });
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

std::string raw(const std::string& topic_id) {
  return std::string(as_text(bytes_view(uuid::parse(topic_id).value().bytes)));
}

// The member that tells the elements of an array apart, if there is one.
std::string name_of(const json& element) {
  if (!element.is_object()) return element.dump();
  for (const char* name :
       {"name", "topicName", "topic", "groupId", "key", "resourceName", "topicId", "partitionIndex",
        "index", "partition", "memberId", "nodeId", "brokerId", "apiKey"}) {
    if (element.contains(name)) return element.at(name).dump();
  }
  return "";
}

struct known_difference {
  std::string_view api;
  std::string_view what;
  std::string_view why;
};

constexpr std::string_view no_join = "its member's join was not recorded";
constexpr std::string_view no_transactions = "transactions wait for their issue";
constexpr std::string_view epoch_raised = "the first record of a partition raises its leader epoch";
constexpr std::string_view fewer_records = "not all records were recorded";
constexpr std::string_view was_starting = "Kafka was starting";
constexpr std::string_view our_config = "a config of our own";
constexpr std::string_view set_there = "set on that node";
constexpr std::string_view no_authorizer = "that node had an authorizer";
constexpr std::string_view three_nodes = "that quorum had more nodes, and a listener of its own";
constexpr std::string_view set_before = "set by a request that we send earlier";

constexpr known_difference known_differences[] = {
    {"CreateAcls", "results[].errorCode 0 -> 54", no_authorizer},
    {"CreateTopics", "topics[].configs[\"ringlog.durability\"] is new", our_config},
    {"DeleteAcls", "filterResults[].errorCode 0 -> 54", no_authorizer},
    {"DeleteGroups", "results[].errorCode 0 -> 69", "how it was made was not recorded"},
    {"DeleteRecords", "topics[].partitions[].errorCode 0 -> 1", fewer_records},
    {"DescribeAcls", "errorCode 0 -> 54", no_authorizer},
    {"DescribeClientQuotas", "entries[] is not there", "what was set was not recorded"},
    {"DescribeCluster", "errorCode 0 -> 114", "was asked of a controller"},
    {"DescribeConfigs", "results[].configs[\"ringlog.durability\"] is new", our_config},
    {"DescribeConfigs", "results[].configs[].synonyms[\"log.index.size.max.bytes\"] is not there",
     set_there},
    {"DescribeConfigs", "results[].configs[].synonyms[\"max.message.bytes\"] is new", set_before},
    {"DescribeConfigs", "results[].configs[].synonyms[\"min.insync.replicas\"] is not there",
     set_there},
    {"DescribeConfigs", "results[].configs[].synonyms[\"retention.ms\"] is new", set_before},
    {"DescribeProducers", "topics[].partitions[].errorCode 0 -> 3", "topics of other clients"},
    {"DescribeQuorum", "nodes[3] is not there", three_nodes},
    {"DescribeQuorum", "nodes[].listeners[\"CONTROLLER\"] is not there", three_nodes},
    {"DescribeQuorum", "nodes[].listeners[\"PLAINTEXT\"] is new", three_nodes},
    {"DescribeQuorum", "topics[].partitions[].currentVoters[] is not there", three_nodes},
    {"DescribeQuorum", "topics[].partitions[].observers[] is not there", three_nodes},
    {"Fetch", "errorCode 0 -> 70", "the number of a session is the server's choice"},
    {"Fetch", "responses[].partitions[].errorCode 0 -> 1", fewer_records},
    {"Fetch", "responses[].partitions[].errorCode 0 -> 74", epoch_raised},
    {"FindCoordinator", "coordinators[].errorCode 0 -> 53", no_transactions},
    {"FindCoordinator", "coordinators[].errorCode 15 -> 0", was_starting},
    {"FindCoordinator", "coordinators[].errorCode 15 -> 53", no_transactions},
    {"FindCoordinator", "errorCode 0 -> 53", no_transactions},
    {"Heartbeat", "errorCode 0 -> 22", no_join},
    {"Heartbeat", "errorCode 0 -> 25", no_join},
    {"Heartbeat", "errorCode 27 -> 25", no_join},
    {"InitProducerId", "errorCode 0 -> 53", no_transactions},
    {"InitProducerId", "errorCode 14 -> 0", was_starting},
    {"LeaveGroup", "errorCode 0 -> 25", no_join},
    {"LeaveGroup", "members[].errorCode 0 -> 25", no_join},
    {"ListOffsets", "topics[].partitions[].errorCode 0 -> 74", epoch_raised},
    {"OffsetCommit", "topics[].partitions[].errorCode 0 -> 22", no_join},
    {"OffsetCommit", "topics[].partitions[].errorCode 0 -> 25", no_join},
    {"OffsetForLeaderEpoch", "topics[].partitions[].errorCode 0 -> 74", epoch_raised},
    {"Produce", "responses[].partitionResponses[].errorCode 0 -> 53", no_transactions},
    {"SyncGroup", "errorCode 0 -> 22", no_join},
    {"SyncGroup", "errorCode 0 -> 25", no_join},
};

// Arrays whose elements depend on what else is there.
constexpr std::pair<std::string_view, std::string_view> depends_on_others[] = {
    {"ApiVersions", "apiKeys"},  // compared by tests of the protocol
    {"ApiVersions", "supportedFeatures"},
    {"ApiVersions", "finalizedFeatures"},
    {"DescribeProducers", "topics[].partitions[].activeProducers"},
    {"Fetch", "responses[].partitions[].abortedTransactions"},
    {"JoinGroup", "members"},
    {"ListConfigResources", "configResources"},
    {"ListGroups", "groups"},
    {"Metadata", "topics"},
    {"Metadata", "topics[].partitions"},
};

class comparison {
 public:
  explicit comparison(std::string_view api) : api_(api) {}

  void compare(const json& theirs, const json& ours, const std::string& path) {
    if (theirs.is_object() && ours.is_object()) return compare_objects(theirs, ours, path);
    if (theirs.is_array() && ours.is_array()) return compare_arrays(theirs, ours, path);
    if (path.ends_with("memberId") && theirs.is_string() && ours.is_string()) {
      if (theirs.get<std::string>().size() == ours.get<std::string>().size()) {
        members.emplace(theirs, ours);
      }
    }
    if (theirs.is_null() != ours.is_null() && !path.ends_with("errorMessage")) {
      found.insert(fmt::format("{} {} -> {}", path, theirs.is_null() ? "null" : "value",
                               ours.is_null() ? "null" : "value"));
    }
  }

  std::set<std::string> found;
  std::map<std::string, std::string> members;  // ids that were given to the same member

 private:
  static std::string member(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  // Of a failure nothing else is compared.
  void compare_objects(const json& theirs, const json& ours, const std::string& path) {
    if (theirs.contains("errorCode") && theirs.at("errorCode") != ours.at("errorCode")) {
      found.insert(fmt::format("{} {} -> {}", member(path, "errorCode"),
                               theirs.at("errorCode").dump(), ours.at("errorCode").dump()));
      return;
    }
    for (const auto& [name, value] : theirs.items()) {
      if (ours.contains(name)) {
        compare(value, ours.at(name), member(path, name));
      } else {
        found.insert(member(path, name) + " is not there");
      }
    }
    for (const auto& [name, value] : ours.items()) {
      if (!theirs.contains(name)) found.insert(member(path, name) + " is new");
    }
  }

  void compare_arrays(const json& theirs, const json& ours, const std::string& path) {
    const bool depends =
        std::ranges::count(depends_on_others, std::pair(api_, std::string_view(path)));
    std::map<std::string, const json*> named;
    for (const json& element : ours) named.emplace(name_of(element), &element);
    for (const json& element : theirs) {
      const std::string name = name_of(element);
      const auto same = named.find(name);
      if (same != named.end()) {
        compare(element, *same->second, path + "[]");
        named.erase(same);
      } else if (!depends) {
        found.insert(fmt::format("{}[{}] is not there", path, name));
      }
    }
    if (depends) return;
    for (const auto& [name, element] : named) {
      found.insert(fmt::format("{}[{}] is new", path, name));
    }
  }

  const std::string_view api_;
};

class GoldenReplayTest : public server_fixture {
 protected:
  // Sent on a connection of its own; the answer's body as JSON, null where there is none.
  json ask(const json& recorded) {
    auto client = connect();
    const byte_buffer bytes = golden::from_hex(recorded.at("request_hex"));
    std::string request(as_text(bytes));
    for (const auto& [theirs, ours] : topic_ids_) replace_all(request, raw(theirs), raw(ours));
    for (const auto& [theirs, ours] : members_) replace_all(request, theirs, ours);
    client.send(wire_client::framed(as_bytes(request)));
    if (recorded.at("response_hex").is_null()) return nullptr;
    const auto answer = client.receive();
    if (!answer) return "closed";
    const std::int16_t key = recorded.at("api_key");
    const std::int16_t version = recorded.at("api_version");
    reader in(*answer);
    const auto header =
        response_header::decode(in, find_api(key)->response_header_version(version));
    EXPECT_EQ(header.correlation_id, recorded.at("correlation_id"));
    const wire_message* message = find_wire_message(key, false);
    const auto body = message->carry(in.read_view(in.bytes_left()), version);
    EXPECT_TRUE(body.ok()) << body.failure().message;
    return json::parse(body.value().json);
  }

  // What differs in the answer.
  std::set<std::string> differences(const json& recorded) {
    learn_topic_ids();
    const json ours = ask(recorded);
    if (!recorded.contains("response_json")) return {};
    std::string text = recorded.at("response_json").dump();
    for (const auto& [theirs, our] : topic_ids_) replace_all(text, theirs, our);
    for (const auto& [theirs, our] : members_) replace_all(text, theirs, our);
    const std::string api = recorded.at("api_name");
    comparison with(api);
    with.compare(json::parse(text), ours, "");
    members_.merge(with.members);
    return with.found;
  }

  // The topics that nobody in the recording makes, and the ids of all of them.
  void prepare(const std::vector<json>& recording) {
    topic_ids_.clear();
    members_.clear();
    theirs_.clear();
    std::set<std::string> made_later;
    std::map<std::string, std::size_t> partitions;
    for (const json& recorded : recording) {
      const std::string api = recorded.value("api_name", "");
      if (api == "CreateTopics") {
        for (const json& topic : recorded.at("request_json").at("topics")) {
          made_later.insert(topic.at("name").get<std::string>());
        }
      }
      if (api != "Metadata") continue;
      for (const json& topic : recorded.at("response_json").at("topics")) {
        if (topic.at("errorCode") != 0) continue;
        const std::string name = topic.at("name");
        partitions[name] = std::max(partitions[name], topic.at("partitions").size());
        if (topic.contains("topicId")) theirs_[topic.at("topicId")] = name;
      }
    }
    create_topics_request request;
    for (const auto& [name, count] : partitions) {
      if (made_later.contains(name) || name.starts_with("__")) continue;
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.num_partitions = static_cast<std::int32_t>(count);
      topic.replication_factor = 1;
    }
    auto client = connect();
    client.ask<create_topics_response>(request, 7);
  }

  void learn_topic_ids() {
    metadata_request request;
    request.topics.reset();
    auto client = connect();
    for (const auto& topic : client.ask<metadata_response>(request, 12).topics) {
      for (const auto& [id, name] : theirs_) {
        if (topic.name == name) topic_ids_[id] = topic.topic_id.to_string();
      }
    }
  }

  std::map<std::string, std::string> theirs_;  // names by the ids that Kafka chose
  std::map<std::string, std::string> topic_ids_;
  std::map<std::string, std::string> members_;
};

TEST_P(GoldenReplayTest, AnswersHaveTheSameShape) {
  GOLDEN_OR_SKIP();
  std::set<std::int16_t> apis;
  int asked = 0;
  for (const std::string client : {"java-4.3.1", "java-sasl-4.3.1", "librdkafka-2.16.1",
                                   "kafka-python-3.0.12", "kafkajs-2.2.4", "franz-go-1.22.2"}) {
    start();
    const std::vector<json> recording = recorded_by(client);
    prepare(recording);
    for (const json& recorded : recording) {
      if (!is_served(recorded)) continue;
      const std::string api = recorded.at("api_name");
      SCOPED_TRACE(fmt::format("{} {} {} {}", client, api, recorded.at("api_version").dump(),
                               recorded.at("request_json").dump()));
      for (const std::string& what : differences(recorded)) {
        EXPECT_TRUE(std::ranges::any_of(known_differences, [&](const known_difference& known) {
          return known.api == api && known.what == what;
        })) << what;
      }
      apis.insert(recorded.at("api_key").get<std::int16_t>());
      ++asked;
    }
    stop();
    node::close_all(long_enough);
  }
  EXPECT_GT(asked, 200);
  EXPECT_GE(apis.size(), 30u);
}

INSTANTIATE_TEST_SUITE_P(Engines, GoldenReplayTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
