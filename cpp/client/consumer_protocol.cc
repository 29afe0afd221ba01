#include "client/consumer_protocol.h"

#include <algorithm>
#include <map>

#include "protocol/reader.h"
#include "protocol/stored/consumer_protocol/assignment.h"
#include "protocol/stored/consumer_protocol/subscription.h"
#include "protocol/writer.h"

namespace ringlog::client {
namespace {

using protocol::consumer_protocol_assignment;
using protocol::consumer_protocol_subscription;

// Version 1 is what every client since Kafka 2.4 reads and knows owned partitions in.
constexpr std::int16_t written_version = 1;

template <typename Message>
byte_buffer encode(const Message& message) {
  protocol::writer out;
  out.write_integer(written_version);
  message.encode(out, written_version);
  auto bytes = std::move(out).take(Message::info.name);
  CHECK(bytes.ok(), "names came from a broker or passed its check:", bytes.failure().message);
  return std::move(bytes).value();
}

// Newer versions only add fields at the end, which are skipped (Kafka: ConsumerProtocol).
template <typename Message>
result<Message> decode(bytes_view bytes) {
  protocol::reader in(bytes);
  const auto version = in.read_integer<std::int16_t>();
  if (version < Message::info.lowest_version) in.fail("it has a negative version");
  Message message =
      in.ok() ? Message::decode(in, std::min(version, Message::info.highest_version)) : Message{};
  TRY(in.finish_early(Message::info.name));
  return message;
}

}  // namespace

byte_buffer encode_subscription(const std::vector<std::string>& topics) {
  consumer_protocol_subscription subscription;
  subscription.topics = topics;
  return encode(subscription);
}

result<std::vector<std::string>> decode_subscription(bytes_view bytes) {
  TRY_ASSIGN(auto subscription, decode<consumer_protocol_subscription>(bytes));
  return std::move(subscription.topics);
}

byte_buffer encode_assignment(const std::vector<topic_partition>& partitions) {
  std::map<std::string, std::vector<std::int32_t>> by_topic;
  for (const topic_partition& source : partitions) {
    by_topic[source.topic].push_back(source.partition.value());
  }
  consumer_protocol_assignment assignment;
  for (auto& [topic, ids] : by_topic) assignment.assigned_partitions.push_back({topic, ids});
  return encode(assignment);
}

result<std::vector<topic_partition>> decode_assignment(bytes_view bytes) {
  std::vector<topic_partition> partitions;
  if (bytes.empty()) return partitions;
  TRY_ASSIGN(const auto assignment, decode<consumer_protocol_assignment>(bytes));
  for (const auto& topic : assignment.assigned_partitions) {
    for (const std::int32_t id : topic.partitions) {
      partitions.push_back({topic.topic, partition_id_t(id)});
    }
  }
  return partitions;
}

}  // namespace ringlog::client
