#include "client/remote/fetcher.h"

#include <algorithm>

#include "client/remote/remote_call.h"
#include "model/kafka_error.h"

namespace ringlog::client::remote {
namespace {

using model::kafka_error;
using protocol::fetch_request;
using protocol::fetch_response;

// The last version that names topics by their names.
constexpr std::int16_t highest_version = 12;
constexpr std::int16_t lowest_version = 7;  // sessions

// The broker's own wait ends first.
constexpr milliseconds answer_grace{100};

bool loses_session(std::int16_t number) {
  const auto code = static_cast<kafka_error>(number);
  return code == kafka_error::fetch_session_id_not_found ||
         code == kafka_error::invalid_fetch_session_epoch;
}

// A consumer waits a moment and asks again; the metadata is read meanwhile.
error_code as_of_leader(error_code code) {
  switch (code) {
    case error_code::unknown_topic_id:
    case error_code::storage_failed:
    case nobody_there:
    case error_code::timed_out:
      return error_code::not_leader;
    default:
      return code;
  }
}

template <typename Topics>
auto& topic_in(Topics& topics, std::string_view name) {
  const auto found =
      std::ranges::find_if(topics, [&](const auto& each) { return each.topic == name; });
  if (found != topics.end()) return *found;
  topics.emplace_back().topic = name;
  return topics.back();
}

void fill(const fetch_session::step& step, const broker::fetch_request& asked, std::int64_t wait_ms,
          fetch_request& request) {
  request.max_wait_ms = static_cast<std::int32_t>(wait_ms);
  request.min_bytes = static_cast<std::int32_t>(asked.bytes_min);
  request.max_bytes = static_cast<std::int32_t>(asked.bytes_max);
  request.isolation_level = static_cast<std::int8_t>(asked.isolation);
  request.session_id = step.id;
  request.session_epoch = step.epoch;
  for (const broker::fetch_partition& each : step.added) {
    auto& partition = topic_in(request.topics, each.source.topic).partitions.emplace_back();
    partition.partition = each.source.partition.value();
    partition.current_leader_epoch = each.current_leader_epoch.value();
    partition.fetch_offset = each.fetch_offset.value();
    partition.partition_max_bytes = static_cast<std::int32_t>(each.bytes_max);
  }
  for (const topic_partition& each : step.forgotten) {
    topic_in(request.forgotten_topics_data, each.topic)
        .partitions.push_back(each.partition.value());
  }
}

}  // namespace

// ---- calls

void fetcher::fetch(token id, broker::fetch_request request, reply<broker::fetch_answer> done) {
  if (call_) answer();
  const monotonic_time deadline = over_->thread().time().now() + milliseconds(request.wait_ms_max);
  call_ = waiting_call{id, std::move(request), std::move(done), deadline};
  drop_unwanted();
  const bool is_anything_under_way = send_all();
  if (has_something() || !is_anything_under_way) return answer();
  call_->timer =
      over_->thread().loop().schedule_at(deadline + answer_grace, [weak = weak_from_this(), id] {
        if (const auto self = weak.lock()) {
          self->cancel(id);
        }
      });
}

void fetcher::cancel(token id) {
  if (call_ && call_->id == id) answer();
}

// What was fetched of partitions or from offsets that nobody asks for now.
void fetcher::drop_unwanted() {
  std::map<topic_partition, offset_t> wanted;
  for (const auto& each : call_->request.partitions) wanted[each.source] = each.fetch_offset;
  std::erase_if(kept_, [&](const auto& entry) {
    const auto found = wanted.find(entry.first);
    return found == wanted.end() || found->second != entry.second.asked;
  });
  std::erase_if(watermarks_, [&](const auto& entry) { return !wanted.contains(entry.first); });
}

bool fetcher::has_something() const { return !kept_.empty(); }

void fetcher::answer() {
  waiting_call call = std::move(*call_);
  call_.reset();
  over_->thread().loop().cancel(call.timer);
  broker::fetch_answer answer;
  for (const broker::fetch_partition& asked : call.request.partitions) {
    const auto kept = kept_.find(asked.source);
    if (kept != kept_.end() && kept->second.asked == asked.fetch_offset) {
      answer.partitions.push_back(std::move(kept->second.fetched));
      kept_.erase(kept);
      continue;
    }
    auto& empty = answer.partitions.emplace_back();
    empty.source = asked.source;
    const watermarks known = watermarks_[asked.source];
    empty.high_watermark = known.high_watermark;
    empty.last_stable_offset = known.last_stable_offset;
    empty.log_start_offset = known.log_start_offset;
  }
  call.done(std::move(answer));
}

// ---- requests

fetcher::node_state& fetcher::state_of(node_id_t node) {
  return nodes_.try_emplace(node, over_->options().enable_incremental_fetch_sessions).first->second;
}

// Whether anything is under way afterwards.
bool fetcher::send_all() {
  std::map<node_id_t, std::vector<broker::fetch_partition>> by_leader;
  for (const broker::fetch_partition& each : call_->request.partitions) {
    if (kept_.contains(each.source)) continue;
    const auto leader = over_->leader_of(each.source);
    if (!leader) {
      error why = over_->why_no_leader(each.source);
      why.code = as_of_leader(why.code);
      keep_failure(each, std::move(why));
      continue;
    }
    broker::fetch_partition wanted = each;
    wanted.current_leader_epoch = over_->leader_epoch_of(each.source);
    by_leader[*leader].push_back(std::move(wanted));
  }
  bool is_under_way = false;
  for (auto& [node, wanted] : by_leader) {
    if (!state_of(node).is_under_way) send(node, std::move(wanted));
    is_under_way = is_under_way || state_of(node).is_under_way;
  }
  return is_under_way;
}

struct fetcher::sent_fetch {
  fetch_session::step step;
  broker::fetch_request how;  // without its partitions
  std::int64_t wait_ms = 0;
};

void fetcher::send(node_id_t node, std::vector<broker::fetch_partition> wanted) {
  const auto connection = over_->connection_to(node, route::lane::records);
  if (connection == nullptr) return;
  node_state& state = state_of(node);
  const monotonic_time now = over_->thread().time().now();
  const auto sent = std::make_shared<sent_fetch>();
  sent->step = state.session.next(wanted);
  const broker::fetch_request& asked = call_->request;
  sent->how = {{}, asked.wait_ms_max, asked.bytes_min, asked.bytes_max, asked.isolation};
  sent->wait_ms = std::clamp<std::int64_t>(
      std::chrono::ceil<milliseconds>(call_->deadline - now).count(), 0, asked.wait_ms_max);
  state.asked = std::move(wanted);
  state.is_under_way = true;
  wire_call call;
  call.api = protocol::api_key::fetch;
  call.lowest_version = lowest_version;
  call.highest_version = highest_version;
  call.deadline = now + milliseconds(over_->options().request_timeout_ms + sent->wait_ms);
  call.encode = [sent](const protocol::request_header& header) {
    fetch_request request;
    fill(sent->step, sent->how, sent->wait_ms, request);
    return protocol::encode_request(header, request);
  };
  call.done = [weak = weak_from_this(), node](result<wire_answer> answer) {
    if (const auto self = weak.lock()) self->answered(node, std::move(answer));
  };
  connection->ask(std::move(call));
}

// ---- answers

void fetcher::answered(node_id_t node, result<wire_answer> answer) {
  node_state& state = state_of(node);
  state.is_under_way = false;
  auto response = answer.ok() ? decode_answer<fetch_response>(*answer)
                              : result<fetch_response>(std::move(answer.failure()));
  if (response.ok()) {
    take(state, *response, *answer);
  } else {
    state.session.reset();
    for (const broker::fetch_partition& each : state.asked) {
      error failure = response.failure();
      over_->note_failure(route::to_leader(each.source), failure.code);
      failure.code = as_of_leader(failure.code);
      keep_failure(each, std::move(failure));
    }
  }
  if (!call_) return;
  drop_unwanted();
  if (has_something()) return this->answer();
  // Nothing came: ask again for what is left of the wait, or for what was asked since.
  const bool is_time_left = over_->thread().time().now() < call_->deadline;
  if (is_time_left && send_all()) return;
  const bool waits =
      std::ranges::any_of(nodes_, [](const auto& entry) { return entry.second.is_under_way; });
  if (!waits || !is_time_left) this->answer();
}

void fetcher::take(node_state& state, const fetch_response& response, const wire_answer& frame) {
  if (loses_session(response.error_code)) {
    return state.session.reset();
  }
  if (status outcome = check_code(response.error_code); !outcome.ok()) {
    state.session.reset();
    for (const auto& each : state.asked) keep_failure(each, error(outcome.failure()));
    return;
  }
  state.session.answered(response.session_id);
  std::map<topic_partition, const broker::fetch_partition*> asked;
  for (const auto& each : state.asked) asked[each.source] = &each;
  for (const auto& topic : response.responses) {
    for (const auto& each : topic.partitions) {
      const auto found = asked.find({topic.topic, partition_id_t(each.partition_index)});
      if (found != asked.end()) keep(*found->second, each, frame);
    }
  }
}

void fetcher::keep(const broker::fetch_partition& asked, const fetch_response::partition_data& from,
                   const wire_answer& frame) {
  if (status outcome = check_code(from.error_code); !outcome.ok()) {
    error failure = std::move(outcome.failure());
    over_->note_failure(route::to_leader(asked.source), failure.code);
    failure.code = as_of_leader(failure.code);
    return keep_failure(asked, std::move(failure));
  }
  watermarks_[asked.source] = {offset_t(from.high_watermark), offset_t(from.last_stable_offset),
                               offset_t(from.log_start_offset)};
  if (!from.records || from.records->empty()) return;
  broker::fetched_partition fetched;
  fetched.source = asked.source;
  fetched.high_watermark = offset_t(from.high_watermark);
  fetched.last_stable_offset = offset_t(from.last_stable_offset);
  fetched.log_start_offset = offset_t(from.log_start_offset);
  if (from.aborted_transactions) {
    for (const auto& each : *from.aborted_transactions) {
      fetched.aborted.push_back({producer_id_t(each.producer_id), offset_t(each.first_offset)});
    }
  }
  fetched.batches.push_back({frame.frame, *from.records});
  kept_[asked.source] = {asked.fetch_offset, std::move(fetched)};
}

void fetcher::keep_failure(const broker::fetch_partition& asked, error failure) {
  broker::fetched_partition fetched;
  fetched.source = asked.source;
  fetched.failure = std::move(failure);
  kept_[asked.source] = {asked.fetch_offset, std::move(fetched)};
}

}  // namespace ringlog::client::remote
