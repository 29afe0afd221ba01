#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/service.h"
#include "client/transport.h"
#include "model/record.h"

// A broker whose answers a test decides, for what a real one does only in rare moments: answers
// that come late, fail for a while or get lost. It keeps sequence numbers as Kafka's does.
namespace ringlog::client {

// Runs tasks when told to, on a clock that moves when told to. Any thread may post.
class manual_executor final : public executor, public clock {
 public:
  void post(task work) override {
    const std::lock_guard guard(mutex_);
    tasks_.push_back(std::move(work));
  }

  void post_aside(task work) override { post(std::move(work)); }

  timer_id schedule_at(monotonic_time time, task work) override {
    const std::lock_guard guard(mutex_);
    timers_.emplace(std::pair(time, ++last_timer_), std::move(work));
    return last_timer_;
  }

  bool cancel(timer_id id) override {
    const std::lock_guard guard(mutex_);
    return std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == id; }) > 0;
  }

  std::int64_t wall_ms() const override {
    return 1'760'000'000'000 + now().since_start / milliseconds(1);
  }
  monotonic_time now() const override { return {nanoseconds(now_.load())}; }

  // Everything that is due; false when there was nothing.
  bool run() {
    bool ran = false;
    while (task next = take()) {
      next();
      ran = true;
    }
    return ran;
  }

  // Timers hold producers, which hold this.
  void drop_all() {
    decltype(tasks_) tasks;
    decltype(timers_) timers;
    const std::lock_guard guard(mutex_);
    tasks.swap(tasks_);
    timers.swap(timers_);
  }

  void advance(milliseconds distance) {
    now_ += nanoseconds(distance).count();
    run();
  }

 private:
  task take() {
    const std::lock_guard guard(mutex_);
    task next;
    if (!tasks_.empty()) {
      next = std::move(tasks_.front());
      tasks_.pop_front();
    } else if (!timers_.empty() && timers_.begin()->first.first <= now()) {
      next = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    }
    return next;
  }

  std::mutex mutex_;
  std::deque<task> tasks_;
  std::map<std::pair<monotonic_time, timer_id>, task> timers_;
  timer_id last_timer_ = 0;
  std::atomic<std::int64_t> now_{nanoseconds(std::chrono::hours(1)).count()};
};

class scripted_broker final : public service {
 public:
  explicit scripted_broker(manual_executor& engine) : engine_(engine) {}

  struct log {
    std::vector<byte_buffer> batches;  // as appended
    std::int64_t end = 0;
    std::int64_t producer = -1;
    std::int32_t next_sequence = 0;
    std::deque<std::pair<std::int32_t, offset_t>> last_five;  // base sequence, base offset
  };

  // What becomes of the next requests, in order; afterwards all are appended and answered.
  enum class fate { appended, refused, appended_answer_lost };
  struct script {
    fate what = fate::appended;
    error_code code = error_code::no_memory;
  };

  void produce(ringlog::broker::produce_request request,
               ringlog::broker::reply<ringlog::broker::produce_answer> done) override {
    std::unique_lock guard(mutex_);
    ++requests;
    in_flight_most = std::max(in_flight_most, ++in_flight_);
    script now;
    if (!fates.empty()) {
      now = fates.front();
      fates.pop_front();
    }
    result<ringlog::broker::produce_answer> answer = error{now.code, "scripted"};
    if (now.what != fate::refused) {
      answer = append(request);
      if (now.what == fate::appended_answer_lost) answer = error{now.code, "scripted"};
    }
    auto reply = std::make_shared<decltype(done)>(std::move(done));
    task deliver = [this, reply, answer = std::move(answer)] {
      {
        const std::lock_guard inner(mutex_);
        --in_flight_;
      }
      (*reply)(answer);
    };
    if (hold_answers) {
      held.push_back(std::move(deliver));
      return;
    }
    guard.unlock();
    engine_.post(std::move(deliver));
  }

  // Lets the held answers go, the oldest first.
  void answer(std::size_t count = 1'000'000) {
    for (; count > 0; --count) {
      task next;
      {
        const std::lock_guard guard(mutex_);
        if (held.empty()) return;
        next = std::move(held.front());
        held.pop_front();
      }
      next();
      engine_.run();
    }
  }

  void add_topic(const std::string& name, int partitions) {
    const std::lock_guard guard(mutex_);
    ringlog::broker::topic_description& topic = topics[name];
    topic.name = name;
    if (topic.id.is_zero()) topic.id = uuid::reserved(static_cast<std::uint8_t>(topics.size()));
    topic.partitions.resize(static_cast<std::size_t>(partitions));
    ++version;
  }

  std::vector<std::string> values(const std::string& topic, std::int32_t partition = 0) {
    const std::lock_guard guard(mutex_);
    std::vector<std::string> found;
    for (const byte_buffer& bytes : logs[{topic, partition_id_t(partition)}].batches) {
      const model::batch_view batch(bytes);
      model::record_iterator records(batch, batch.records());
      for (model::record_view record; records.next(record);) {
        found.push_back(to_string(*record.value));
      }
    }
    return found;
  }

  void init_producer_id(std::optional<std::string>,
                        std::optional<ringlog::broker::producer_identity>,
                        ringlog::broker::reply<ringlog::broker::producer_identity> done) override {
    const std::int64_t id = ++last_producer_id;
    auto reply = std::make_shared<decltype(done)>(std::move(done));
    engine_.post([reply, id] {
      (*reply)(ringlog::broker::producer_identity{producer_id_t(id), producer_epoch_t(0)});
    });
  }

  std::optional<ringlog::broker::topic_description> find_topic(std::string_view name) override {
    const std::lock_guard guard(mutex_);
    const auto found = topics.find(std::string(name));
    if (found == topics.end()) return std::nullopt;
    return found->second;
  }

  void ensure_topic(std::string name,
                    ringlog::broker::reply<ringlog::broker::topic_description> done) override {
    add_topic(name, 1);
    done(*find_topic(name));
  }

  void look_up_topics(
      std::optional<std::vector<std::string>> names,
      ringlog::broker::reply<std::vector<ringlog::broker::topic_description>> done) override {
    std::vector<ringlog::broker::topic_description> found;
    if (!names) {
      for (const auto& [name, topic] : topics) found.push_back(topic);
    }
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      if (auto topic = find_topic(name)) found.push_back(std::move(*topic));
    }
    done(std::move(found));
  }

  std::uint64_t metadata_version() const override { return version; }

  void look_up_configs(
      ringlog::broker::config_resource,
      ringlog::broker::reply<std::vector<ringlog::broker::config_entry>> done) override {
    ringlog::broker::config_entry entry;
    entry.name = "max.message.bytes";
    entry.value = std::to_string(message_bytes_max);
    done(std::vector{entry});
  }

  // Not for producers.
  fetch_token fetch(ringlog::broker::fetch_request,
                    ringlog::broker::reply<ringlog::broker::fetch_answer>) override {
    return 0;
  }
  void cancel_fetch(fetch_token) override {}
  void list_offset(ringlog::broker::list_offset_request,
                   ringlog::broker::reply<ringlog::broker::listed_offset>) override {}
  void offset_for_leader_epoch(topic_partition, leader_epoch_t,
                               ringlog::broker::reply<ringlog::broker::epoch_end_offset>) override {
  }
  void delete_records(topic_partition, offset_t, ringlog::broker::reply<offset_t>) override {}
  void describe_producers(
      topic_partition,
      ringlog::broker::reply<std::vector<ringlog::broker::active_producer>>) override {}
  void create_topic(ringlog::broker::new_topic, bool,
                    ringlog::broker::reply<ringlog::broker::created_topic>) override {}
  void delete_topic(std::string, ringlog::broker::reply<uuid>) override {}
  void create_partitions(std::string, std::int32_t, bool,
                         ringlog::broker::reply<std::int32_t>) override {}
  void alter_configs(ringlog::broker::config_resource,
                     std::vector<ringlog::broker::config_alteration>, bool,
                     ringlog::broker::reply<std::monostate>) override {}
  void join_group(ringlog::broker::join_group_request,
                  ringlog::broker::reply<ringlog::broker::join_group_answer>) override {}
  void sync_group(ringlog::broker::sync_group_request,
                  ringlog::broker::reply<ringlog::broker::sync_group_answer>) override {}
  void heartbeat(ringlog::broker::group_member_identity,
                 ringlog::broker::reply<std::monostate>) override {}
  void leave_group(std::string, std::vector<ringlog::broker::leaving_member>,
                   ringlog::broker::reply<std::vector<std::optional<error>>>) override {}
  // Answered as its script says; in order, then without a word of news.
  void consumer_heartbeat(
      ringlog::broker::consumer_heartbeat_request request,
      ringlog::broker::reply<ringlog::broker::consumer_heartbeat_answer> done) override {
    result<ringlog::broker::consumer_heartbeat_answer> answer = last_beat;
    if (!beat_answers.empty()) {
      answer = std::move(beat_answers.front());
      beat_answers.pop_front();
    }
    if (answer.ok()) {
      answer->member = request.member;
      last_beat.epoch = answer->epoch;
    }
    beats.push_back(std::move(request));
    deliver(std::move(answer), std::move(done));
  }

  void commit_offsets(ringlog::broker::offset_commit_request request,
                      ringlog::broker::reply<ringlog::broker::partition_failures> done) override {
    result<ringlog::broker::partition_failures> answer{ringlog::broker::partition_failures()};
    if (!commit_answers.empty()) {
      answer = std::move(commit_answers.front());
      commit_answers.pop_front();
    }
    commits.push_back(std::move(request));
    deliver(std::move(answer), std::move(done));
  }
  void fetch_offsets(ringlog::broker::offset_fetch_request,
                     ringlog::broker::reply<ringlog::broker::fetched_offsets>) override {}
  void delete_offsets(std::string, std::vector<topic_partition>,
                      ringlog::broker::reply<ringlog::broker::partition_failures>) override {}
  void list_groups(ringlog::broker::reply<std::vector<ringlog::broker::listed_group>>) override {}
  void describe_group(std::string,
                      ringlog::broker::reply<ringlog::broker::described_group>) override {}
  void delete_group(std::string, ringlog::broker::reply<std::monostate>) override {}
  void look_up_client_quotas(
      ringlog::broker::client_quota_filter,
      ringlog::broker::reply<std::vector<ringlog::broker::client_quota>>) override {}
  void alter_client_quotas(std::vector<ringlog::broker::client_quota_alteration>, bool,
                           ringlog::broker::reply<std::vector<std::optional<error>>>) override {}
  void look_up_cluster(ringlog::broker::reply<described_cluster>) override {}
  void look_up_log_directories(
      node_id_t, ringlog::broker::reply<std::vector<described_log_directory>>) override {}

  std::deque<script> fates;
  std::deque<result<ringlog::broker::consumer_heartbeat_answer>> beat_answers;
  std::vector<ringlog::broker::consumer_heartbeat_request> beats;
  ringlog::broker::consumer_heartbeat_answer last_beat{
      .member = "", .epoch = 0, .heartbeat_interval_ms = 5'000, .assignment = std::nullopt};
  std::deque<result<ringlog::broker::partition_failures>> commit_answers;
  std::vector<ringlog::broker::offset_commit_request> commits;
  std::atomic<bool> hold_answers{false};
  std::deque<task> held;
  std::map<std::string, ringlog::broker::topic_description> topics;
  std::map<topic_partition, log> logs;
  std::int64_t message_bytes_max = 1'048'588;
  std::atomic<std::uint64_t> version{1};
  std::atomic<std::int64_t> last_producer_id{100};
  std::atomic<int> requests{0};
  int in_flight_most = 0;

 private:
  template <typename T>
  void deliver(result<T> answer, ringlog::broker::reply<T> done) {
    auto reply = std::make_shared<ringlog::broker::reply<T>>(std::move(done));
    engine_.post([reply, answer = std::move(answer)] { (*reply)(answer); });
  }

  result<ringlog::broker::produce_answer> append(ringlog::broker::produce_request& request) {
    if (!topics.contains(request.target.topic)) {
      return error{error_code::unknown_topic_or_partition, "no such topic"};
    }
    const model::batch_view batch(request.batches);
    CHECK(validate(batch, model::validation_level::produced).ok(), "a bad batch was sent");
    CHECK(validate_records(batch, batch.records()).ok() ||
              batch.compression() != compression_type::none,
          "bad records were sent");
    log& to = logs[request.target];
    ringlog::broker::produce_answer answer;
    if (batch.has_producer_id()) {
      const std::int64_t id = batch.producer_id().value();
      if (id != to.producer) to.last_five.clear();
      for (const auto& [sequence, offset] : to.last_five) {
        if (sequence != batch.base_sequence()) continue;
        answer.duplicate = true;
        answer.base_offset = offset;
        return answer;
      }
      const std::int32_t wanted = id == to.producer ? to.next_sequence : 0;
      if (batch.base_sequence() != wanted) {
        return error{error_code::out_of_order_sequence, "sequence is not the next one"};
      }
      to.producer = id;
      to.next_sequence = model::increment_sequence(batch.last_sequence(), 1);
      to.last_five.emplace_back(batch.base_sequence(), offset_t(to.end));
      if (to.last_five.size() > 5) to.last_five.pop_front();
    }
    answer.base_offset = offset_t(to.end);
    to.end += batch.count();
    to.batches.push_back(std::move(request.batches));
    return answer;
  }

  manual_executor& engine_;
  std::mutex mutex_;
  int in_flight_ = 0;
};

class scripted_transport final : public transport {
 public:
  scripted_broker& broker() override { return broker_; }
  manual_executor& engine() override { return engine_; }
  const clock& time() const override { return engine_; }
  random_source& random() override { return random_; }
  log_sink& log() override { return log_; }
  status check_usable() const override { return {}; }

 private:
  manual_executor engine_;
  scripted_broker broker_{engine_};
  seeded_random random_{1};
  null_log_sink log_;
};

}  // namespace ringlog::client
