#include "broker/broker_impl.h"

#include <algorithm>
#include <map>
#include <string>

#include "broker/config_change.h"
#include "broker/feature_admin.h"
#include "broker/log_directory.h"
#include "broker/logger_configs.h"
#include "broker/make_broker.h"
#include "broker/quota_admin.h"
#include "broker/stored_configs.h"

namespace ringlog::broker {

namespace {

broker_services for_groups(const broker_services& given) {
  return {given.engine, given.time,       given.random, given.loggers.of(logger_names::groups),
          given.logs,   given.controller, given.loggers};
}

}  // namespace

result<std::unique_ptr<broker>> make_broker(broker_services outside, broker_options options) {
  return broker_impl::make(outside, std::move(options));
}

result<std::unique_ptr<broker>> broker_impl::make(broker_services outside, broker_options options) {
  TRY_ASSIGN(auto configs, config_service::make(outside, options));
  std::unique_ptr<broker_impl> made(
      new broker_impl(outside, std::move(options), std::move(configs)));
  TRY(made->set_strays_aside());
  made->quotas_.take_over(*outside.controller.published());
  made->configs_->set_own_listener([self = made.get()] { self->apply_topic_configs(); });
  outside.controller.set_listener(
      [self = made.get()](const metadata::image_ptr& before, const metadata::image_ptr& after) {
        self->metadata_changed(*before, *after);
      });
  return std::unique_ptr<broker>(std::move(made));
}

broker_impl::broker_impl(broker_services outside, broker_options options,
                         std::unique_ptr<config_service> configs)
    : outside_(outside),
      options_(std::move(options)),
      configs_(std::move(configs)),
      quotas_(outside.time, *configs_->broker_values()),
      partitions_(outside, *configs_),
      queries_(partitions_),
      produces_(std::make_shared<produce_path>(outside, partitions_)),
      fetches_(std::make_shared<fetch_path>(outside, partitions_)),
      producer_ids_(std::make_shared<producer_ids>(outside)),
      topics_(std::make_shared<topic_admin>(outside, options_.node, *configs_, partitions_)),
      groups_(std::make_shared<group_coordinator>(for_groups(outside), *configs_->broker_values(),
                                                  *topics_, partitions_)) {}

broker_impl::~broker_impl() {
  close();
  outside_.controller.set_listener(nullptr);
}

void broker_impl::close() {
  const error why{error_code::closed, "the log was closed"};
  groups_->close(why);
  fetches_->close();
  partitions_.close(why);
}

// Directories whose topic was deleted just before a crash, or that come from elsewhere
// (Kafka: LogManager.isStrayReplica). Those of another topic of the same name show at their first
// use (partition_table).
status broker_impl::set_strays_aside() {
  if (outside_.logs.is_as_we_left_it()) return {};
  const auto image = outside_.controller.published();
  TRY_ASSIGN(const auto unopened, outside_.logs.unopened());
  for (const topic_partition& found : unopened) {
    const auto topic = image->find_topic(found.topic);
    if (topic != nullptr && topic->find_partition(found.partition) != nullptr) continue;
    const status moved = outside_.logs.set_aside(found);
    if (moved.ok()) continue;
    outside_.sink.log(log_level::error, "{} could not be set aside: {}", found.to_string(),
                      moved.failure().message);
  }
  return {};
}

// On the engine's thread, in the order of the changes. Deleted topics are dealt with by
// delete_topic, the only one who deletes.
void broker_impl::metadata_changed(const metadata::image& before, const metadata::image& after) {
  if (!before.configs.is_shared_with(after.configs)) {
    configs_->refresh();
    apply_topic_configs();
  }
  if (!before.quotas.is_shared_with(after.quotas)) quotas_.take_over(after);
  ++metadata_version_;
}

void broker_impl::apply_topic_configs() {
  std::map<std::string, storage::log_config> by_topic;
  for (const auto& opened : partitions_.opened()) {
    const std::string& topic = opened->name().topic;
    auto known = by_topic.find(topic);
    if (known == by_topic.end()) {
      known = by_topic.emplace(topic, configs_->log_config_of(topic)).first;
    }
    if (known->second != opened->log().config()) opened->log().set_config(known->second);
  }
}

bool broker_impl::is_open(const topic_partition& target) {
  const auto found = partitions_.find_open(target);
  return !found.ok() || *found != nullptr;
}

void broker_impl::produce(produce_request request, reply<produce_answer> done) {
  produces_->produce(std::move(request), std::move(done));
}

broker::fetch_token broker_impl::fetch(fetch_request request, reply<fetch_answer> done) {
  return fetches_->fetch(std::move(request), std::move(done));
}

void broker_impl::cancel_fetch(fetch_token token) { fetches_->cancel(token); }

void broker_impl::list_offset(list_offset_request request, reply<listed_offset> done) {
  done(queries_.list_offset(request));
}

void broker_impl::offset_for_leader_epoch(epoch_end_request request, reply<epoch_end_offset> done) {
  done(queries_.offset_for_leader_epoch(request));
}

void broker_impl::delete_records(topic_partition source, offset_t before, reply<offset_t> done) {
  queries_.delete_records(source, before, std::move(done));
}

void broker_impl::init_producer_id(std::optional<std::string> transactional_id,
                                   std::optional<producer_identity> current,
                                   reply<producer_identity> done) {
  producer_ids_->init(transactional_id, current, std::move(done));
}

void broker_impl::describe_producers(topic_partition source,
                                     reply<std::vector<active_producer>> done) {
  done(queries_.describe_producers(source));
}

std::optional<topic_description> broker_impl::find_topic(std::string_view name) {
  return topics_->find(name);
}

std::optional<topic_description> broker_impl::find_topic(const uuid& id) {
  return topics_->find(id);
}

std::vector<topic_description> broker_impl::list_topics() { return topics_->list(); }

std::uint64_t broker_impl::metadata_version() const { return metadata_version_; }

void broker_impl::ensure_topic(std::string name, reply<topic_description> done) {
  topics_->ensure(std::move(name), std::move(done));
}

void broker_impl::create_topic(new_topic topic, bool validate_only, reply<created_topic> done) {
  topics_->create(std::move(topic), validate_only, std::move(done));
}

void broker_impl::delete_topic(std::string name, reply<uuid> done) {
  topics_->remove(name,
                  [groups = groups_, name, done = std::move(done)](result<uuid> deleted) mutable {
                    if (deleted.ok()) groups->topic_deleted(name);
                    done(std::move(deleted));
                  });
}

void broker_impl::create_partitions(std::string topic, std::int32_t count, bool validate_only,
                                    reply<std::int32_t> done) {
  topics_->create_partitions(topic, count, validate_only, std::move(done));
}

result<std::vector<config_entry>> broker_impl::describe_configs(const config_resource& resource) {
  if (resource.type == resource_type::broker_logger) {
    return describe_loggers(outside_.loggers, options_.node, resource.name);
  }
  if (stored_configs::has(resource.type)) {
    return stored_configs(outside_, *configs_->broker_values()).describe(resource);
  }
  return configs_->describe(resource);
}

void broker_impl::alter_configs(config_resource resource, std::vector<config_alteration> changes,
                                bool validate_only, reply<std::monostate> done) {
  const status checked = check_changes(changes);
  if (!checked.ok()) return done(checked.failure());
  if (resource.type == resource_type::broker_logger) {
    const status altered =
        alter_loggers(outside_.loggers, options_.node, resource.name, changes, validate_only);
    if (!altered.ok()) return done(altered.failure());
    return done(std::monostate());
  }
  if (stored_configs::has(resource.type)) {
    return stored_configs(outside_, *configs_->broker_values())
        .alter(resource, changes, validate_only, std::move(done));
  }
  configs_->alter(std::move(resource), std::move(changes), validate_only, std::move(done));
}

std::vector<std::string> broker_impl::list_configured(resource_type type) {
  return configs_->list_configured(type);
}

result<std::vector<client_quota>> broker_impl::describe_client_quotas(
    const client_quota_filter& filter) {
  return ringlog::broker::describe_client_quotas(outside_, filter);
}

void broker_impl::alter_client_quotas(std::vector<client_quota_alteration> wanted,
                                      bool validate_only,
                                      reply<std::vector<std::optional<error>>> done) {
  ringlog::broker::alter_client_quotas(outside_, std::move(wanted), validate_only, std::move(done));
}

void broker_impl::join_group(join_group_request request, reply<join_group_answer> done) {
  groups_->join_group(std::move(request), std::move(done));
}

void broker_impl::sync_group(sync_group_request request, reply<sync_group_answer> done) {
  groups_->sync_group(std::move(request), std::move(done));
}

void broker_impl::heartbeat(group_member_identity from, reply<std::monostate> done) {
  groups_->heartbeat(std::move(from), std::move(done));
}

void broker_impl::leave_group(std::string group, std::vector<leaving_member> members,
                              reply<std::vector<std::optional<error>>> done) {
  groups_->leave_group(std::move(group), std::move(members), std::move(done));
}

void broker_impl::commit_offsets(offset_commit_request request, reply<partition_failures> done) {
  groups_->commit_offsets(std::move(request), std::move(done));
}

void broker_impl::fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done) {
  groups_->fetch_offsets(std::move(request), std::move(done));
}

void broker_impl::delete_offsets(std::string group, std::vector<topic_partition> partitions,
                                 reply<partition_failures> done) {
  groups_->delete_offsets(std::move(group), std::move(partitions), std::move(done));
}

void broker_impl::list_groups(reply<std::vector<listed_group>> done) {
  groups_->list_groups(std::move(done));
}

void broker_impl::describe_group(std::string group, reply<described_group> done) {
  groups_->describe_group(std::move(group), std::move(done));
}

void broker_impl::consumer_heartbeat(consumer_heartbeat_request request,
                                     reply<consumer_heartbeat_answer> done) {
  groups_->consumer_heartbeat(std::move(request), std::move(done));
}

void broker_impl::describe_consumer_group(std::string group, reply<described_consumer_group> done) {
  groups_->describe_consumer_group(std::move(group), std::move(done));
}

void broker_impl::delete_group(std::string group, reply<std::monostate> done) {
  groups_->delete_group(std::move(group), std::move(done));
}

cluster_description broker_impl::describe_cluster() {
  return {options_.cluster_id,
          options_.node,
          options_.node,
          options_.host,
          options_.port,
          outside_.logs.directory(),
          *outside_.controller.published()->features};
}

void broker_impl::describe_log_directory(std::optional<std::vector<topic_partition>> asked,
                                         reply<log_directory_description> done) {
  ringlog::broker::describe_log_directory(outside_, asked, std::move(done));
}

quorum_description broker_impl::describe_quorum() {
  const auto image = outside_.controller.published();
  return {options_.node, outside_.logs.identity().directory_id, image->epoch, image->next_offset,
          outside_.time.wall_ms()};
}

void broker_impl::update_features(std::vector<feature_update> updates, bool validate_only,
                                  reply<std::monostate> done) {
  ringlog::broker::update_features(outside_, options_.node, updates, validate_only,
                                   std::move(done));
}

log_health broker_impl::describe_health() {
  log_health health;
  const status writes = outside_.logs.health();
  if (!writes.ok()) health.failure = writes.failure();
  const auto opened = partitions_.opened();
  health.offline_partitions = std::ranges::count_if(
      opened, [&](const auto& one) { return !writes.ok() || !one->log().health().ok(); });
  return health;
}

}  // namespace ringlog::broker
