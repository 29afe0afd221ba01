#include "client/remote/produce_sender.h"

#include <algorithm>
#include <set>

#include "client/remote/remote_call.h"

namespace ringlog::client::remote {
namespace {

using protocol::produce_request;
using protocol::produce_response;

// The last version that names topics by their names.
constexpr std::int16_t highest_version = 12;

// Batches as Produce has them, one topic after another. Views them.
void fill(const std::vector<const broker::produce_request*>& sent, produce_request& request) {
  request.acks = static_cast<std::int16_t>(sent.front()->acks);
  request.timeout_ms = static_cast<std::int32_t>(sent.front()->timeout_ms);
  for (const broker::produce_request* each : sent) {
    auto topic = std::ranges::find(request.topic_data, each->target.topic,
                                   &produce_request::topic_produce::name);
    if (topic == request.topic_data.end()) {
      request.topic_data.emplace_back().name = each->target.topic;
      topic = request.topic_data.end() - 1;
    }
    auto& partition = topic->partition_data.emplace_back();
    partition.index = each->target.partition.value();
    partition.records = protocol::records_ref(bytes_view(each->batches));
  }
}

// What a client does about them is the same: look who leads now, and send again.
error_code as_of_leader(error_code code) {
  switch (code) {
    case error_code::unknown_topic_or_partition:
    case error_code::unknown_topic_id:
      return error_code::not_leader;
    case error_code::storage_failed:
      return error_code::not_leader;
    default:
      return code;
  }
}

result<broker::produce_answer> to_answer(const produce_response::partition_result& from) {
  status outcome = check_code(from.error_code, from.error_message);
  if (!outcome.ok()) {
    error failure = std::move(outcome.failure());
    failure.code = as_of_leader(failure.code);
    for (const auto& record : from.record_errors) {
      if (!record.batch_index_error_message) continue;
      failure.message += fmt::format(" (record {} of the batch: {})", record.batch_index,
                                     *record.batch_index_error_message);
    }
    return failure;
  }
  broker::produce_answer answer;
  answer.base_offset = offset_t(from.base_offset);
  answer.log_append_timestamp = from.log_append_time_ms;
  answer.log_start_offset = offset_t(from.log_start_offset);
  return answer;
}

}  // namespace

void produce_sender::produce(broker::produce_request request, reply<broker::produce_answer> done) {
  const auto leader = over_->leader_of(request.target);
  if (!leader) return done(over_->why_no_leader(request.target));
  node_queue& queue = nodes_[*leader];
  queue.waiting.push_back({std::move(request), std::move(done)});
  if (std::exchange(queue.is_flush_posted, true)) return;
  // After what else was posted by now, so that it goes out together.
  over_->thread().loop().post([self = shared_from_this(), node = *leader] {
    self->nodes_[node].is_flush_posted = false;
    self->flush(node);
  });
}

void produce_sender::flush(node_id_t node) {
  const std::int32_t under_way_max = over_->options().max_in_flight_requests_per_connection;
  for (;;) {
    node_queue& queue = nodes_[node];
    if (queue.waiting.empty() || queue.requests_under_way >= under_way_max) return;
    ++queue.requests_under_way;
    send(node, take_request(queue));
  }
}

produce_sender::batches produce_sender::take_request(node_queue& from) const {
  batches taken;
  std::deque<pending> left;
  std::set<topic_partition> seen;  // taken one of, or left one
  std::int64_t size = 0;
  const broker::required_acks acks = from.waiting.front().request.acks;
  for (pending& each : from.waiting) {
    const auto bytes = static_cast<std::int64_t>(each.request.batches.size());
    const bool fits = taken.empty() || (size + bytes <= over_->options().max_request_size &&
                                        each.request.acks == acks);
    if (seen.insert(each.request.target).second && fits) {
      size += bytes;
      taken.push_back(std::move(each));
    } else {
      left.push_back(std::move(each));
    }
  }
  from.waiting = std::move(left);
  return taken;
}

void produce_sender::send(node_id_t node, batches sent) {
  const auto kept = std::make_shared<batches>(std::move(sent));
  wire_call call;
  call.api = protocol::api_key::produce;
  call.highest_version = highest_version;
  call.deadline = over_->thread().time().now() + milliseconds(over_->options().request_timeout_ms);
  call.wants_answer = kept->front().request.acks != broker::required_acks::none;
  call.encode = [kept](const protocol::request_header& header) {
    std::vector<const broker::produce_request*> views;
    for (const pending& each : *kept) views.push_back(&each.request);
    produce_request request;
    fill(views, request);
    return protocol::encode_request(header, request);
  };
  call.done = [self = shared_from_this(), node, kept](result<wire_answer> answer) {
    self->answered(node, kept, std::move(answer));
  };
  const auto connection = over_->connection_to(node, route::lane::records);
  if (connection == nullptr) return call.done(error{nobody_there, "the broker is gone"});
  connection->ask(std::move(call));
}

void produce_sender::answered(node_id_t node, const std::shared_ptr<batches>& sent,
                              result<wire_answer> answer) {
  --nodes_[node].requests_under_way;
  if (!answer.ok()) {
    fail_all(node, *sent, answer.failure());
  } else if (answer->frame == nullptr) {  // acks=0
    for (pending& each : *sent) each.done(broker::produce_answer{});
  } else if (auto response = decode_answer<produce_response>(*answer); response.ok()) {
    deliver(*sent, *response);
  } else {
    fail_all(node, *sent, response.failure());
  }
  flush(node);
}

void produce_sender::deliver(batches& sent, const produce_response& response) {
  std::map<topic_partition, const produce_response::partition_result*> answers;
  for (const auto& topic : response.responses) {
    for (const auto& each : topic.partition_responses) {
      answers[{topic.name, partition_id_t(each.index)}] = &each;
    }
  }
  for (pending& each : sent) {
    const auto found = answers.find(each.request.target);
    result<broker::produce_answer> outcome =
        found != answers.end()
            ? to_answer(*found->second)
            : result<broker::produce_answer>(error{
                  error_code::internal, "the broker's answer lacks a partition that was sent"});
    if (!outcome.ok()) over_->note_failure(route::to_leader(each.request.target), outcome.code());
    each.done(std::move(outcome));
  }
}

// What waits behind a request that was lost must not overtake it when it is sent again.
void produce_sender::fail_all(node_id_t node, batches& sent, const error& failure) {
  for (pending& each : sent) {
    over_->note_failure(route::to_leader(each.request.target), failure.code);
    each.done(error(failure));
  }
  if (!is_passing(failure.code)) return;
  std::deque<pending> behind = std::exchange(nodes_[node].waiting, {});
  for (pending& each : behind) each.done(error{nobody_there, failure.message});
}

}  // namespace ringlog::client::remote
