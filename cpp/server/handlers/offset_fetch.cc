#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using broker::fetched_offsets;
using group_answer = protocol::offset_fetch_response::group;
using group_topic = protocol::offset_fetch_request::group_topic;

// Before version 8 the request and the response are those of one group.
template <typename Partition>
void fill(const std::optional<broker::committed_offset>& source, Partition& target) {
  const broker::committed_offset shown = source.value_or(broker::committed_offset{});
  target.committed_offset = shown.offset.value();
  target.committed_leader_epoch = shown.leader_epoch.value();
  target.metadata = shown.metadata;
}

std::size_t size_of(const fetched_offsets& found) {
  std::size_t size = 0;
  for (const auto& [source, position] : found) {
    size += sizeof(protocol::offset_fetch_response::group_partition) +
            (position ? position->metadata.size() : 0);
  }
  return size;
}

// Partitions of one topic follow one another.
template <typename Topic>
void fill_all(const fetched_offsets& found, std::vector<Topic>& topics) {
  for (const auto& [source, position] : found) {
    if (topics.empty() || topics.back().name != source.topic) {
      topics.emplace_back().name = source.topic;
    }
    auto& target = topics.back().partitions.emplace_back();
    target.partition_index = source.partition.value();
    fill(position, target);
  }
}

template <typename Topics>
std::optional<std::vector<topic_partition>> partitions_of(const std::optional<Topics>& topics) {
  if (!topics) return std::nullopt;
  std::vector<topic_partition> all;
  for (const auto& topic : *topics) {
    for (const std::int32_t partition : topic.partition_indexes) {
      all.push_back(make_partition(topic.name, partition));
    }
  }
  return all;
}

void answer_one(const offset_fetch_call& call) {
  call->response.error_code = not_answered;
  broker::offset_fetch_request wanted;
  wanted.group = call->request.group_id;
  wanted.partitions = partitions_of(call->request.topics);
  wanted.require_stable = call->request.require_stable;
  call->core().fetch_offsets(std::move(wanted), [call](const auto& found) {
    call->response.error_code = code_of_offsets(found);
    if (found.ok()) fill_all(*found, call->response.topics);
  });
}

// Topics by id: an unknown one is answered with its partitions, the others with their names.
void name_topics(const offset_fetch_call& call, std::vector<group_topic>& topics,
                 std::vector<std::string>& names, group_answer& target) {
  std::erase_if(topics, [&](group_topic& topic) {
    const auto name = topic_name_of(call->core(), topic.name, topic.topic_id);
    if (name) {
      names.push_back(*name);
      return false;
    }
    auto& answered = target.topics.emplace_back();
    answered.topic_id = topic.topic_id;
    pair_up(topic.partition_indexes, answered.partitions, [](std::int32_t index, auto& partition) {
      partition.partition_index = index;
      partition.committed_offset = no_offset.value();
      partition.error_code = code_of(model::kafka_error::unknown_topic_id);
    });
    return true;
  });
}

void answer_group(const offset_fetch_call& call, const protocol::offset_fetch_request::group& asked,
                  group_answer& target) {
  target.group_id = asked.group_id;
  target.error_code = not_answered;
  broker::offset_fetch_request wanted;
  wanted.group = asked.group_id;
  wanted.require_stable = call->request.require_stable;
  wanted.member = to_text(asked.member_id);
  wanted.member_epoch = asked.member_epoch;
  auto topics = asked.topics;
  std::vector<std::string> names;
  if (topics) {
    name_topics(call, *topics, names, target);
    for (std::size_t i = 0; i < topics->size(); ++i) (*topics)[i].name = names[i];
  }
  wanted.partitions = partitions_of(topics);
  call->core().fetch_offsets(std::move(wanted), [call, &target](const auto& found) {
    target.error_code = code_of_offsets(found);
    if (!found.ok()) return;
    if (!call->has_room_for(size_of(*found))) {
      target.error_code = code_of(status(no_room_to_show()));
      return;
    }
    fill_all(*found, target.topics);
    for (auto& topic : target.topics) {
      const auto known = call->core().find_topic(topic.name);
      if (known) topic.topic_id = known->id;
    }
  });
}

}  // namespace

void offset_fetch(offset_fetch_call call) {
  if (call->version() < 8) return answer_one(call);
  pair_up(call->request.groups, call->response.groups,
          [&](const auto& asked, auto& target) { answer_group(call, asked, target); });
}

}  // namespace ringlog::server::handlers
