#include "broker/group/consumer_protocol.h"

#include <algorithm>

#include "broker/group/record_codec.h"
#include "protocol/stored/consumer_protocol/assignment.h"
#include "protocol/stored/consumer_protocol/subscription.h"

namespace ringlog::broker {

namespace {

template <typename Message>
std::int16_t readable_version(std::int16_t version) {
  return std::clamp(version, Message::info.lowest_version, Message::info.highest_version);
}

template <typename Message>
std::optional<Message> decode(bytes_view bytes) {
  protocol::reader in(bytes);
  const auto version = in.read_integer<std::int16_t>();
  if (!in.ok() || version < 0) return std::nullopt;
  auto message = Message::decode(in, readable_version<Message>(version));
  if (!in.finish_early(Message::info.name).ok()) return std::nullopt;
  return message;
}

template <typename Partitions>
partitions_by_topic to_ids(const std::vector<Partitions>& named, const metadata_lookup& topics) {
  partitions_by_topic all;
  for (const Partitions& source : named) {
    const auto shape = topics.find_shape(source.topic);
    if (!shape || source.partitions.empty()) continue;
    all[shape->id].insert(source.partitions.begin(), source.partitions.end());
  }
  return all;
}

}  // namespace

std::optional<classic_subscription> read_subscription(bytes_view metadata,
                                                      const metadata_lookup& topics) {
  auto source = decode<protocol::consumer_protocol_subscription>(metadata);
  if (!source) return std::nullopt;
  classic_subscription subscription;
  subscription.topics = std::move(source->topics);
  subscription.owned = to_ids(source->owned_partitions, topics);
  subscription.rack = std::move(source->rack_id);
  return subscription;
}

byte_buffer write_subscription(const std::vector<std::string>& topics) {
  protocol::consumer_protocol_subscription subscription;
  subscription.topics = topics;
  return encode_stored(0, subscription, 0);
}

std::optional<classic_assignment> read_assignment(bytes_view assignment,
                                                  const metadata_lookup& topics) {
  if (assignment.empty()) return classic_assignment{};
  const auto source = decode<protocol::consumer_protocol_assignment>(assignment);
  if (!source) return std::nullopt;
  return classic_assignment{to_ids(source->assigned_partitions, topics),
                            source->user_data && !source->user_data->empty()};
}

byte_buffer write_assignment(const partitions_by_topic& partitions, bytes_view subscription,
                             const metadata_lookup& topics) {
  protocol::reader in(subscription);
  const auto asked = in.read_integer<std::int16_t>();
  const std::int16_t version =
      in.ok() ? readable_version<protocol::consumer_protocol_assignment>(asked) : std::int16_t{0};
  protocol::consumer_protocol_assignment assignment;
  for (const auto& [id, numbers] : partitions) {
    auto name = topics.find_name(id);
    if (!name) continue;
    assignment.assigned_partitions.push_back({std::move(*name), {numbers.begin(), numbers.end()}});
  }
  return encode_stored(version, assignment, version);
}

}  // namespace ringlog::broker
