// Topics and the cluster: Metadata, and what is asked of the controller.

#include "client/remote/remote_service.h"
#include "model/kafka_error.h"
#include "protocol/wire/topic/create_partitions.h"
#include "protocol/wire/topic/create_topics.h"
#include "protocol/wire/topic/delete_topics.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;
using model::kafka_error;
using topics = std::vector<broker::topic_description>;

// A broker that makes topics by itself does so while the question is asked again. One that does
// not, says the same words: so long it is asked.
constexpr milliseconds auto_create_wait_max{5000};

// Brokers take over what the controller has done a moment later. A call that changed topics is
// answered when the broker that is asked has seen it, or after so long.
constexpr milliseconds visible_wait_max{5000};
constexpr milliseconds visible_look{20};

template <typename T>
call_plan<metadata_request, metadata_response, T> ask_metadata(
    std::optional<std::vector<std::string>> names, bool may_create) {
  call_plan<metadata_request, metadata_response, T> plan;
  plan.by = route::any();
  plan.what = "Metadata";
  plan.lowest_version = 4;
  plan.fill = [names = std::move(names), may_create](metadata_request& out, std::int16_t) {
    out.allow_auto_topic_creation = may_create;
    out.topics.reset();
    if (!names) return;
    out.topics.emplace();
    for (const std::string& name : *names) out.topics->emplace_back().name = name;
  };
  return plan;
}

bool is_unknown(const metadata_response::topic& topic) {
  const auto code = static_cast<kafka_error>(topic.error_code);
  return code == kafka_error::unknown_topic_or_partition;
}

bool lacks_leader(const metadata_response::topic& topic) {
  if (topic.error_code == leader_not_available || topic.partitions.empty()) return true;
  for (const auto& partition : topic.partitions) {
    if (partition.leader_id < 0) return true;
  }
  return false;
}

status check_topic(const metadata_response::topic& topic) {
  if (topic.error_code == leader_not_available) return {};
  status outcome = check_code(topic.error_code);
  if (outcome.ok()) return {};
  return std::move(outcome.failure()).with_context("topic " + topic.name.value_or(""));
}

// Looks until what was changed can be seen.
class visible_change : public std::enable_shared_from_this<visible_change> {
 public:
  using condition = std::function<bool(const std::optional<broker::topic_description>&)>;

  visible_change(std::shared_ptr<cluster> over, std::string topic, condition holds, task done)
      : over_(std::move(over)),
        topic_(std::move(topic)),
        holds_(std::move(holds)),
        done_(std::move(done)),
        end_(over_->thread().time().now() + visible_wait_max) {}

  void look() {
    auto plan = ask_metadata<bool>(std::vector{topic_}, false);
    plan.is_retried = false;
    plan.take = [self = shared_from_this()](metadata_response& answer,
                                            const wire_answer&) -> result<bool> {
      self->over_->take_metadata(answer, std::vector{self->topic_});
      std::optional<broker::topic_description> seen;
      for (const auto& topic : answer.topics) {
        if (!lacks_leader(topic)) seen = describe_topic(topic);
      }
      return self->holds_(seen);
    };
    call_remote(over_, std::move(plan),
                reply<bool>([self = shared_from_this()](const result<bool>& holds) {
                  self->looked(holds.ok() && *holds);
                }));
  }

 private:
  void looked(bool holds) {
    const monotonic_time next = over_->thread().time().now() + visible_look;
    if (holds || next > end_) return done_();
    over_->thread().loop().schedule_at(next, [self = shared_from_this()] { self->look(); });
  }

  const std::shared_ptr<cluster> over_;
  const std::string topic_;
  const condition holds_;
  task done_;
  const monotonic_time end_;
};

// Of an answer about one topic.
template <typename Answers>
auto only(Answers& answers) -> result<typename Answers::value_type*> {
  if (answers.size() == 1) return &answers.front();
  return error{error_code::internal, "the broker's answer lacks what was asked for"};
}

// Answers `done` with the outcome, of a success when the change can be seen.
template <typename T>
reply<T> when_visible(std::shared_ptr<cluster> over, std::string topic,
                      visible_change::condition holds, reply<T> done) {
  return [over = std::move(over), topic = std::move(topic), holds = std::move(holds),
          done = std::move(done)](result<T> outcome) mutable {
    if (!outcome.ok()) return done(std::move(outcome));
    std::make_shared<visible_change>(
        std::move(over), std::move(topic), std::move(holds),
        [done = std::move(done), outcome = std::move(outcome)]() mutable {
          done(std::move(outcome));
        })
        ->look();
  };
}

}  // namespace

void remote_service::look_up_topics(std::optional<std::vector<std::string>> names,
                                    topics_reply done) {
  auto plan = ask_metadata<topics>(names, false);
  plan.take = [to = cluster_, names](metadata_response& answer,
                                     const wire_answer&) -> result<topics> {
    to->take_metadata(answer, names);
    names ? to->keep_watching(*names) : to->watch_all_topics();
    topics found;
    for (const auto& topic : answer.topics) {
      if (is_unknown(topic)) continue;
      TRY(check_topic(topic));
      found.push_back(describe_topic(topic));
    }
    return found;
  };
  call(std::move(plan), std::move(done));
}

void remote_service::ensure_topic(std::string name, reply<broker::topic_description> done) {
  auto plan = ask_metadata<broker::topic_description>(std::vector{name}, true);
  const monotonic_time give_up = thread_->time().now() + auto_create_wait_max;
  plan.take = [to = cluster_, name, give_up](
                  metadata_response& answer,
                  const wire_answer&) -> result<broker::topic_description> {
    to->take_metadata(answer, std::vector{name});
    to->keep_watching({name});
    TRY_ASSIGN(const auto* topic, only(answer.topics));
    const bool is_missing = is_unknown(*topic);
    if (!is_missing) TRY(check_topic(*topic));
    if (!is_missing && !lacks_leader(*topic)) return describe_topic(*topic);
    if (!is_missing || to->thread().time().now() < give_up) {
      return make_error(error_code::not_leader, "topic {} is not ready yet", name);
    }
    return make_error(error_code::unknown_topic_or_partition,
                      "there is no topic {}, and the broker makes none by itself: create it, or "
                      "set auto.create.topics.enable=true",
                      name);
  };
  call(std::move(plan), std::move(done));
}

void remote_service::create_topic(broker::new_topic topic, bool validate_only,
                                  reply<broker::created_topic> done) {
  call_plan<create_topics_request, create_topics_response, broker::created_topic> plan;
  plan.by = route::controller();
  plan.what = "CreateTopics of " + topic.name;
  const auto timeout_ms = cluster_->options().request_timeout_ms;
  plan.fill = [topic, validate_only, timeout_ms](create_topics_request& out, std::int16_t) {
    out.timeout_ms = static_cast<std::int32_t>(timeout_ms);
    out.validate_only = validate_only;
    auto& wanted = out.topics.emplace_back();
    wanted.name = topic.name;
    wanted.num_partitions = topic.assignment.empty() ? topic.partitions : -1;
    wanted.replication_factor =
        topic.assignment.empty() ? topic.replication_factor : std::int16_t{-1};
    for (std::size_t i = 0; i < topic.assignment.size(); ++i) {
      auto& assigned = wanted.assignments.emplace_back();
      assigned.partition_index = static_cast<std::int32_t>(i);
      for (const node_id_t node : topic.assignment[i]) assigned.broker_ids.push_back(node.value());
    }
    for (const auto& [name, value] : topic.configs) {
      auto& config = wanted.configs.emplace_back();
      config.name = name;
      config.value = value;
    }
  };
  plan.take = [](create_topics_response& answer,
                 const wire_answer&) -> result<broker::created_topic> {
    TRY_ASSIGN(const auto* made, only(answer.topics));
    TRY(check_code(made->error_code, made->error_message));
    return broker::created_topic{
        made->name, made->topic_id, made->num_partitions, made->replication_factor, {}};
  };
  if (!validate_only) {
    const auto exists = [](const auto& seen) { return seen.has_value(); };
    done = when_visible<broker::created_topic>(cluster_, topic.name, exists, std::move(done));
  }
  call(std::move(plan), std::move(done));
}

void remote_service::delete_topic(std::string name, reply<uuid> done) {
  call_plan<delete_topics_request, delete_topics_response, uuid> plan;
  plan.by = route::controller();
  plan.what = "DeleteTopics of " + name;
  const auto timeout_ms = cluster_->options().request_timeout_ms;
  plan.fill = [name, timeout_ms](delete_topics_request& out, std::int16_t version) {
    out.timeout_ms = static_cast<std::int32_t>(timeout_ms);
    if (version >= 6) {
      out.topics.emplace_back().name = name;
    } else {
      out.topic_names.emplace_back(name);
    }
  };
  plan.take = [](delete_topics_response& answer, const wire_answer&) -> result<uuid> {
    TRY_ASSIGN(const auto* gone, only(answer.responses));
    TRY(check_code(gone->error_code, gone->error_message));
    return gone->topic_id;
  };
  const auto is_gone = [](const auto& seen) { return !seen.has_value(); };
  call(std::move(plan), when_visible<uuid>(cluster_, name, is_gone, std::move(done)));
}

void remote_service::create_partitions(std::string topic, std::int32_t count, bool validate_only,
                                       reply<std::int32_t> done) {
  call_plan<create_partitions_request, create_partitions_response, std::int32_t> plan;
  plan.by = route::controller();
  plan.what = "CreatePartitions of " + topic;
  const auto timeout_ms = cluster_->options().request_timeout_ms;
  plan.fill = [topic, count, validate_only, timeout_ms](create_partitions_request& out,
                                                        std::int16_t) {
    out.timeout_ms = static_cast<std::int32_t>(timeout_ms);
    out.validate_only = validate_only;
    auto& wanted = out.topics.emplace_back();
    wanted.name = topic;
    wanted.count = count;
    wanted.assignments.reset();
  };
  plan.take = [count](create_partitions_response& answer,
                      const wire_answer&) -> result<std::int32_t> {
    TRY_ASSIGN(const auto* made, only(answer.results));
    TRY(check_code(made->error_code, made->error_message));
    return count;
  };
  if (!validate_only) {
    const auto has_them = [count](const auto& seen) {
      return seen && static_cast<std::int32_t>(seen->partitions.size()) >= count;
    };
    done = when_visible<std::int32_t>(cluster_, topic, has_them, std::move(done));
  }
  call(std::move(plan), std::move(done));
}

void remote_service::look_up_cluster(reply<described_cluster> done) {
  auto plan = ask_metadata<described_cluster>(std::vector<std::string>(), false);
  plan.take = [to = cluster_](metadata_response& answer,
                              const wire_answer&) -> result<described_cluster> {
    to->take_metadata(answer, std::vector<std::string>());
    return to->describe();
  };
  call(std::move(plan), std::move(done));
}

}  // namespace ringlog::client::remote
