#include "broker/group/group_coordinator.h"

#include <algorithm>

#include "base/letter_case.h"
#include "base/parse.h"
#include "broker/group/group_partition.h"
#include "broker/partition_coordinator_log.h"
#include "model/topic_name.h"

namespace ringlog::broker {

namespace {

error no_group(error_code code, const std::string& group) {
  return make_error(code, "Group {} not found.", group);
}

// By their names or as Kafka's classes; of others only Kafka has the code.
std::vector<std::string> assignors_of(const std::string& configured) {
  std::vector<std::string> known;
  for (const std::string& item : model::split_list(configured)) {
    for (const std::string_view name : {"uniform", "range"}) {
      const std::string_view simple = std::string_view(item).substr(item.rfind('.') + 1);
      if (item == name || lower_case(simple) == std::string(name) + "assignor") {
        known.emplace_back(name);
      }
    }
  }
  if (known.empty()) known = {"uniform", "range"};
  return known;
}

// KafkaApis and GroupCoordinatorService look at this before the group is looked for.
status check_heartbeat(const consumer_heartbeat_request& request, const group_settings& settings) {
  const auto refuse = [](std::string_view why) {
    return error{error_code::invalid_argument, std::string(why)};
  };
  const auto is_blank = [](const std::optional<std::string>& text) {
    return text && text->find_first_not_of(" \t\r\n") == std::string::npos;
  };
  const bool joins = request.epoch == joining_epoch;
  if (is_blank(request.group)) return refuse("GroupId can't be empty.");
  if (is_blank(request.instance)) return refuse("InstanceId can't be empty.");
  if (is_blank(request.rack)) return refuse("RackId can't be empty.");
  if (!joins && is_blank(request.member)) return refuse("MemberId can't be empty.");
  if (joins && request.rebalance_timeout_ms == -1) {
    return refuse("RebalanceTimeoutMs must be provided in first request.");
  }
  if (joins && (!request.owned || !request.owned->empty())) {
    return refuse("TopicPartitions must be empty when (re-)joining.");
  }
  if (joins && !request.topics && !request.topic_expression) {
    return refuse(
        "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  }
  if (request.epoch == leaving_for_a_while_epoch && !request.instance) {
    return refuse("InstanceId can't be null.");
  }
  if (request.epoch < leaving_for_a_while_epoch) return refuse("MemberEpoch is invalid.");
  const auto& assignors = settings.consumer_assignors;
  if (request.assignor && std::ranges::find(assignors, *request.assignor) == assignors.end()) {
    return make_error(consumer_failures::unsupported_assignor,
                      "ServerAssignor {} is not supported. Supported assignors: {}.",
                      *request.assignor, fmt::join(assignors, ", "));
  }
  return {};
}

}  // namespace

group_settings to_group_settings(const model::config_values& broker) {
  group_settings settings;
  settings.initial_rebalance_delay_ms = broker.number("group.initial.rebalance.delay.ms");
  settings.min_session_timeout_ms = broker.number("group.min.session.timeout.ms");
  settings.max_session_timeout_ms = broker.number("group.max.session.timeout.ms");
  settings.size_max = broker.number("group.max.size");
  settings.offset_metadata_bytes_max = broker.number("offset.metadata.max.bytes");
  settings.offsets_retention_ms = broker.number("offsets.retention.minutes") * 60'000;
  settings.retention_check_interval_ms = broker.number("offsets.retention.check.interval.ms");
  settings.consumer_session_timeout_ms = broker.number("group.consumer.session.timeout.ms");
  settings.consumer_heartbeat_interval_ms = broker.number("group.consumer.heartbeat.interval.ms");
  settings.consumer_assignment_interval_ms = broker.number("group.consumer.assignment.interval.ms");
  settings.consumer_size_max = broker.number("group.consumer.max.size");
  settings.consumer_expression_refresh_ms =
      broker.number("group.consumer.regex.refresh.interval.ms");
  settings.consumer_assignors = assignors_of(broker.value("group.consumer.assignors").value_or(""));
  const std::string policy =
      lower_case(broker.value("group.consumer.migration.policy").value_or(""));
  settings.upgrades_groups = policy == "bidirectional" || policy == "upgrade";
  settings.downgrades_groups = policy == "bidirectional" || policy == "downgrade";
  return settings;
}

group_coordinator::group_coordinator(broker_services outside, const model::config_values& broker,
                                     topic_admin& topics, partition_table& partitions)
    : outside_(outside),
      settings_(to_group_settings(broker)),
      topics_(topics),
      partitions_(partitions) {}

std::optional<uuid> group_coordinator::find_id(const topic_partition& tp) const {
  const auto topic = outside_.controller.published()->find_topic(tp.topic);
  if (topic == nullptr || topic->find_partition(tp.partition) == nullptr) return std::nullopt;
  return topic->id;
}

std::optional<std::string> group_coordinator::find_name(const uuid& id) const {
  const auto topic = outside_.controller.published()->find_topic(id);
  if (topic == nullptr) return std::nullopt;
  return topic->name;
}

std::optional<topic_shape> group_coordinator::find_shape(const std::string& name) const {
  const auto topic = outside_.controller.published()->find_topic(name);
  if (topic == nullptr) return std::nullopt;
  return topic_shape{topic->id, static_cast<std::int32_t>(topic->partitions.size())};
}

std::vector<std::string> group_coordinator::topic_names() const {
  std::vector<std::string> names;
  const auto image = outside_.controller.published();
  image->topics->for_each([&](const metadata::topic_ptr& topic) { names.push_back(topic->name); });
  return names;
}

std::uint64_t group_coordinator::version() const {
  return static_cast<std::uint64_t>(outside_.controller.published()->next_offset.value()) + 1;
}

std::optional<std::int64_t> group_coordinator::find_group_config(const std::string& group,
                                                                 const std::string& name) const {
  const auto image = outside_.controller.published();
  const auto& set = image->configs_of({metadata::config_resource_type::group, group});
  const auto found = set.find(name);
  if (found == set.end()) return std::nullopt;
  return parse_integer<std::int64_t>(found->second);
}

std::int32_t group_coordinator::partition_count() const {
  const auto topic = outside_.controller.published()->find_topic(model::group_metadata_topic);
  return topic == nullptr ? 0 : static_cast<std::int32_t>(topic->partitions.size());
}

result<group_coordinator::shard_ptr> group_coordinator::shard_at(partition_id_t partition) {
  const std::lock_guard guard(mutex_);
  if (closed_) return *closed_;
  const auto found = shards_.find(partition);
  if (found != shards_.end()) return found->second;
  auto made = std::make_shared<group_shard>(
      std::make_shared<partition_coordinator_log>(
          [weak = weak_from_this(), partition] { return open(weak.lock().get(), partition); },
          outside_),
      shard_services{settings_, outside_.time, outside_.random, outside_.engine, outside_.sink,
                     *this});
  return shards_.emplace(partition, std::move(made)).first->second;
}

result<std::shared_ptr<partition>> group_coordinator::open(group_coordinator* self,
                                                           partition_id_t partition) {
  if (self == nullptr) return error{error_code::closed, "the log was closed"};
  return self->partitions_.find({std::string(model::group_metadata_topic), partition});
}

template <typename T, typename Action>
void group_coordinator::with_shard(const std::string& group, std::optional<error> missing,
                                   reply<T> done, Action action) {
  const std::int32_t count = partition_count();
  if (count == 0) {
    if (missing) return done(std::move(*missing));
    topics_.ensure(std::string(model::group_metadata_topic),
                   [self = shared_from_this(), group, done = std::move(done),
                    action = std::move(action)](const result<topic_description>& made) mutable {
                     if (!made.ok()) return done(made.failure());
                     self->with_shard<T>(group, std::nullopt, std::move(done), std::move(action));
                   });
    return;
  }
  auto shard = shard_at(partition_of_group(group, count));
  if (!shard.ok()) return done(std::move(shard.failure()));
  (*shard)->when_loaded([shard = shard->get(), done = std::move(done),
                         action = std::move(action)](const status& loaded) mutable {
    if (!loaded.ok()) return done(loaded.failure());
    action(*shard, std::move(done));
  });
}

void group_coordinator::consumer_heartbeat(consumer_heartbeat_request request,
                                           reply<consumer_heartbeat_answer> done) {
  if (outside_.controller.published()->feature_level("group.version") < 1) {
    return done(error{error_code::unsupported,
                      "the consumer group protocol is off: the feature group.version is not 1"});
  }
  status good = check_heartbeat(request, settings_);
  if (!good.ok()) return done(std::move(good.failure()));
  std::optional<error> missing;
  if (request.epoch != joining_epoch)
    missing = no_group(error_code::group_id_not_found, request.group);
  const std::string group = request.group;
  with_shard<consumer_heartbeat_answer>(
      group, std::move(missing), std::move(done),
      [request = std::move(request)](group_shard& shard,
                                     reply<consumer_heartbeat_answer> answer) mutable {
        shard.consumer_heartbeat(std::move(request), std::move(answer));
      });
}

void group_coordinator::join_group(join_group_request request, reply<join_group_answer> done) {
  if (request.group.empty()) {
    return done(error{error_code::invalid_group_id, "The group id must not be empty."});
  }
  if (request.session_timeout_ms < settings_.min_session_timeout_ms ||
      request.session_timeout_ms > settings_.max_session_timeout_ms) {
    return done(make_error(error_code::invalid_session_timeout,
                           "The session timeout {} is not between group.min.session.timeout.ms={} "
                           "and group.max.session.timeout.ms={}.",
                           request.session_timeout_ms, settings_.min_session_timeout_ms,
                           settings_.max_session_timeout_ms));
  }
  const std::string group = request.group;
  with_shard<join_group_answer>(
      group, std::nullopt, std::move(done),
      [request = std::move(request)](group_shard& shard, reply<join_group_answer> answer) mutable {
        shard.join(std::move(request), std::move(answer));
      });
}

void group_coordinator::sync_group(sync_group_request request, reply<sync_group_answer> done) {
  const std::string group = request.group;
  with_shard<sync_group_answer>(
      group, no_group(error_code::unknown_member_id, group), std::move(done),
      [request = std::move(request)](group_shard& shard, reply<sync_group_answer> answer) mutable {
        shard.sync(std::move(request), std::move(answer));
      });
}

void group_coordinator::heartbeat(group_member_identity from, reply<std::monostate> done) {
  const std::string group = from.group;
  with_shard<std::monostate>(
      group, no_group(error_code::unknown_member_id, group), std::move(done),
      [from = std::move(from)](group_shard& shard, reply<std::monostate> answer) {
        status alive = shard.heartbeat(from);
        if (!alive.ok()) return answer(std::move(alive.failure()));
        answer(std::monostate{});
      });
}

void group_coordinator::leave_group(std::string group, std::vector<leaving_member> members,
                                    reply<std::vector<std::optional<error>>> done) {
  with_shard<std::vector<std::optional<error>>>(
      group, no_group(error_code::unknown_member_id, group), std::move(done),
      [group, members = std::move(members)](group_shard& shard, auto answer) {
        shard.leave(group, members, std::move(answer));
      });
}

void group_coordinator::commit_offsets(offset_commit_request request,
                                       reply<partition_failures> done) {
  partition_failures failures;
  group_shard::offsets_to_commit good;
  const std::int64_t now = outside_.time.wall_ms();
  for (auto& [tp, position] : request.offsets) {
    const auto topic_id = find_id(tp);
    std::optional<error> failure;
    if (!topic_id) {
      failure = unknown_partition(tp);
    } else if (static_cast<std::int64_t>(position.metadata.size()) >
               settings_.offset_metadata_bytes_max) {
      failure = make_error(error_code::offset_metadata_too_large,
                           "the metadata of the offset of {} has more than "
                           "offset.metadata.max.bytes={} bytes",
                           tp.to_string(), settings_.offset_metadata_bytes_max);
    } else {
      stored_offset offset;
      offset.position = std::move(position);
      offset.commit_timestamp = now;
      if (request.retention_ms >= 0) offset.expire_timestamp = now + request.retention_ms;
      offset.topic_id = *topic_id;
      good.emplace_back(tp, std::move(offset));
    }
    failures.emplace_back(tp, std::move(failure));
  }
  const std::string group = request.from.group;
  with_shard<partition_failures>(
      group, std::nullopt, std::move(done),
      [from = std::move(request.from), knows_member_epochs = request.knows_member_epochs,
       good = std::move(good), failures = std::move(failures)](
          group_shard& shard, reply<partition_failures> answer) mutable {
        shard.commit(
            from, std::move(good),
            [failures = std::move(failures),
             answer = std::move(answer)](const status& committed) mutable {
              if (!committed.ok()) return answer(committed.failure());
              answer(std::move(failures));
            },
            knows_member_epochs);
      });
}

void group_coordinator::fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done) {
  if (partition_count() == 0) {
    fetched_offsets nothing;
    if (request.partitions) {
      for (const topic_partition& tp : *request.partitions) nothing.emplace_back(tp, std::nullopt);
    }
    return done(std::move(nothing));
  }
  const std::string group = request.group;
  with_shard<fetched_offsets>(
      group, std::nullopt, std::move(done),
      [request = std::move(request)](group_shard& shard, reply<fetched_offsets> answer) {
        answer(shard.fetch_offsets(request));
      });
}

void group_coordinator::delete_offsets(std::string group, std::vector<topic_partition> partitions,
                                       reply<partition_failures> done) {
  with_shard<partition_failures>(group, no_group(error_code::group_id_not_found, group),
                                 std::move(done),
                                 [group, partitions = std::move(partitions)](
                                     group_shard& shard, reply<partition_failures> answer) {
                                   shard.delete_offsets(group, partitions, std::move(answer));
                                 });
}

void group_coordinator::list_groups(reply<std::vector<listed_group>> done) {
  if (partition_count() == 0) return done(std::vector<listed_group>());
  outside_.engine.post_aside([self = shared_from_this(), done = std::move(done)]() mutable {
    self->outside_.engine.post(
        [self, with_groups = self->partitions_with_groups(), done = std::move(done)]() mutable {
          self->list_loaded(std::move(with_groups), {}, std::move(done));
        });
  });
}

// Opens them.
std::vector<partition_id_t> group_coordinator::partitions_with_groups() {
  std::vector<partition_id_t> found;
  for (partition_id_t one{0}; one.value() < partition_count(); ++one) {
    const auto opened = open(this, one);
    if (!opened.ok()) {
      found.push_back(one);  // its load tells why
      continue;
    }
    const storage::log_offsets offsets = (*opened)->log().offsets();
    if (offsets.log_end > offsets.log_start) found.push_back(one);
  }
  return found;
}

// Loads and asks one shard after another.
void group_coordinator::list_loaded(std::vector<partition_id_t> left,
                                    std::vector<listed_group> so_far,
                                    reply<std::vector<listed_group>> done) {
  if (left.empty()) return done(std::move(so_far));
  auto shard = shard_at(left.back());
  if (!shard.ok()) return done(std::move(shard.failure()));
  left.pop_back();
  (*shard)->when_loaded([self = shared_from_this(), shard = shard->get(), left = std::move(left),
                         so_far = std::move(so_far),
                         done = std::move(done)](const status& loaded) mutable {
    if (!loaded.ok()) return done(loaded.failure());
    for (listed_group& group : shard->list()) so_far.push_back(std::move(group));
    self->list_loaded(std::move(left), std::move(so_far), std::move(done));
  });
}

void group_coordinator::describe_group(std::string group, reply<described_group> done) {
  with_shard<described_group>(group, no_group(error_code::group_id_not_found, group),
                              std::move(done),
                              [group](group_shard& shard, reply<described_group> answer) {
                                answer(shard.describe(group));
                              });
}

void group_coordinator::describe_consumer_group(std::string group,
                                                reply<described_consumer_group> done) {
  with_shard<described_consumer_group>(
      group, no_group(error_code::group_id_not_found, group), std::move(done),
      [group](group_shard& shard, reply<described_consumer_group> answer) {
        answer(shard.describe_consumer(group));
      });
}

void group_coordinator::delete_group(std::string group, reply<std::monostate> done) {
  with_shard<std::monostate>(
      group, no_group(error_code::group_id_not_found, group), std::move(done),
      [group](group_shard& shard, reply<std::monostate> answer) {
        shard.delete_group(group, [answer = std::move(answer)](const status& deleted) mutable {
          if (!deleted.ok()) return answer(deleted.failure());
          answer(std::monostate{});
        });
      });
}

void group_coordinator::topic_deleted(const std::string& name) {
  std::map<partition_id_t, shard_ptr> concerned;
  const bool is_ours = name == model::group_metadata_topic;
  {
    const std::lock_guard guard(mutex_);
    concerned = shards_;
    if (is_ours) shards_.clear();
  }
  for (const auto& [partition, shard] : concerned) {
    if (is_ours) {
      shard->unload({error_code::not_coordinator, "__consumer_offsets was deleted"});
    } else {
      shard->clean_up(group_shard::cleaning::deleted_topics);
    }
  }
}

void group_coordinator::close(const error& why) {
  std::map<partition_id_t, shard_ptr> closing;
  {
    const std::lock_guard guard(mutex_);
    closed_ = why;
    closing.swap(shards_);
  }
  for (const auto& [partition, shard] : closing) shard->unload(why);
}

}  // namespace ringlog::broker
