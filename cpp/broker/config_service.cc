#include "broker/config_service.h"

#include <algorithm>
#include <set>

#include "broker/config_change.h"
#include "codec/codec.h"
#include "model/topic_name.h"

namespace ringlog::broker {

namespace {

metadata::config_resource topic_resource(std::string_view topic) {
  return {metadata::config_resource_type::topic, std::string(topic)};
}

metadata::config_resource broker_resource(std::string name) {
  return {metadata::config_resource_type::broker, std::move(name)};
}

constexpr const char* durability_name = "ringlog.durability";

model::config_map to_map(const metadata::config_values& values) {
  return {values.begin(), values.end()};
}

// Broker configs that act without a restart: the defaults of topic configs
// (Kafka: DynamicLogConfig).
bool is_dynamic(std::string_view name) {
  const auto topics = model::topic_configs();
  return std::any_of(topics.begin(), topics.end(), [&](const model::config_definition& topic) {
    const auto synonyms = model::synonyms_of(topic.name);
    return std::any_of(synonyms.begin(), synonyms.end(),
                       [&](const auto& synonym) { return synonym.broker_name == name; });
  });
}

// Can be set, but is not shown (Kafka: ConfigDef.defineInternal).
bool is_internal(const model::config_definition& topic) {
  return topic.name.starts_with("internal.");
}

void add_default(std::vector<config_synonym>& synonyms,
                 const model::config_definition& definition) {
  const auto value = definition.default_value();
  synonyms.push_back({std::string(definition.name),
                      value ? std::optional<std::string>(*value) : std::nullopt,
                      config_source::default_config});
}

config_entry make_entry(const model::config_definition& definition,
                        std::vector<config_synonym> synonyms) {
  config_entry entry;
  entry.name = definition.name;
  entry.type = static_cast<std::int8_t>(definition.type);
  entry.documentation = definition.documentation;
  entry.sensitive = definition.is_sensitive();
  entry.synonyms = std::move(synonyms);
  if (!entry.synonyms.empty()) {
    entry.source = entry.synonyms.front().source;
    entry.value = entry.synonyms.front().value;
  }
  if (entry.sensitive) {
    entry.value.reset();
    for (config_synonym& synonym : entry.synonyms) synonym.value.reset();
  }
  return entry;
}

// Where the configs of our own of a topic or broker are kept.
std::string scope_of(const metadata::image& image, const config_resource& resource) {
  if (resource.type == resource_type::broker) return own_configs::broker_scope(resource.name);
  const auto topic = image.find_topic(resource.name);
  return own_configs::topic_scope(topic == nullptr ? uuid() : topic->id);
}

}  // namespace

config_service::config_service(broker_services outside, const broker_options& options)
    : outside_(outside),
      node_(options.node),
      static_configs_(options.static_configs),
      in_memory_(options.in_memory),
      own_(options.own != nullptr ? options.own : std::make_shared<own_configs>()) {}

result<std::unique_ptr<config_service>> config_service::make(broker_services outside,
                                                             const broker_options& options) {
  TRY_ASSIGN(auto values, model::parse_broker_configs(options.static_configs));
  for (const std::string& name :
       model::unknown_names(model::broker_configs(), options.static_configs)) {
    outside.sink.log(log_level::warning, "unknown broker config {} is left out (did you mean {}?)",
                     name, model::nearest_name(model::broker_configs(), name));
  }
  std::unique_ptr<config_service> made(new config_service(outside, options));
  made->forget_unknown_topics();
  made->broker_values_ = std::make_shared<const model::config_values>(std::move(values));
  made->refresh();
  return made;
}

std::shared_ptr<const model::config_values> config_service::broker_values() const {
  const std::lock_guard guard(mutex_);
  return broker_values_;
}

void config_service::refresh() {
  model::config_map merged = static_configs_;
  const auto layers = broker_layers();
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    for (const auto& [name, value] : layer->values) merged[name] = value;
  }
  auto values = model::parse_broker_configs(merged);
  if (!values.ok()) {
    outside_.sink.log(log_level::warning, "broker configs stay as they were: {}",
                      values.failure().message);
    return;
  }
  const std::lock_guard guard(mutex_);
  broker_values_ = std::make_shared<const model::config_values>(std::move(*values));
}

model::config_values config_service::topic_values(std::string_view topic) const {
  const auto broker = broker_values();
  const auto image = outside_.controller.published();
  model::config_map stored = to_map(image->configs_of(topic_resource(topic)));
  if (has_fixed_durability(topic)) {
    stored[durability_name] = in_memory_ ? "memory" : "fsync";
  } else if (const auto known = image->find_topic(topic); known != nullptr) {
    stored.merge(own_->of(own_configs::topic_scope(known->id)));
  }
  auto values = model::parse_topic_configs(*broker, stored);
  if (values.ok()) return std::move(*values);

  // Only those that can be read each for itself.
  outside_.sink.log(log_level::warning, "configs of topic {} are partly left out: {}", topic,
                    values.failure().message);
  model::config_map readable;
  for (const auto& [name, value] : stored) {
    model::config_map with = readable;
    with[name] = value;
    if (model::parse_topic_configs(*broker, with).ok()) readable = std::move(with);
  }
  return std::move(model::parse_topic_configs(*broker, readable).value());
}

storage::log_config config_service::log_config_of(std::string_view topic) const {
  return to_log_config(topic_values(topic), *broker_values());
}

// Logs in memory have one; what Kafka keeps for itself is on stable storage.
bool config_service::has_fixed_durability(std::string_view topic) const {
  return in_memory_ || model::is_internal_topic(topic) || topic == model::cluster_metadata_topic;
}

std::vector<config_service::broker_layer> config_service::broker_layers() const {
  const auto image = outside_.controller.published();
  const auto dynamic = [&](const std::string& id) {
    model::config_map values = to_map(image->configs_of(broker_resource(id)));
    values.merge(own_->of(own_configs::broker_scope(id)));
    return values;
  };
  return {{config_source::dynamic_broker_config, dynamic(fmt::format("{}", node_))},
          {config_source::dynamic_default_broker_config, dynamic("")},
          {config_source::static_broker_config, static_configs_}};
}

std::vector<config_synonym> config_service::broker_synonyms(
    const model::config_definition& definition) const {
  std::vector<config_synonym> synonyms;
  const std::string name(definition.name);
  for (const broker_layer& layer : broker_layers()) {
    const auto set = layer.values.find(name);
    if (set != layer.values.end()) synonyms.push_back({name, set->second, layer.source});
  }
  add_default(synonyms, definition);
  return synonyms;
}

std::vector<config_synonym> config_service::topic_synonyms(
    const model::config_definition& definition, const model::config_map& set) const {
  std::vector<config_synonym> synonyms;
  const auto own = set.find(std::string(definition.name));
  if (own != set.end()) {
    synonyms.push_back({own->first, own->second, config_source::topic_config});
  }
  const auto broker_names = model::synonyms_of(definition.name);
  for (const auto& broker_name : broker_names) {
    for (const broker_layer& layer : broker_layers()) {
      const auto value = layer.values.find(std::string(broker_name.broker_name));
      if (value == layer.values.end()) continue;
      synonyms.push_back({value->first, value->second, layer.source});
    }
  }
  if (broker_names.empty()) return synonyms;
  // Kafka shows the default of the strongest name only, so none for segment.ms.
  const auto* strongest = model::find_broker_config(broker_names.front().broker_name);
  if (strongest->default_value()) add_default(synonyms, *strongest);
  return synonyms;
}

status config_service::check_broker_name(const config_resource& resource) const {
  if (resource.name.empty() || resource.name == fmt::format("{}", node_)) return {};
  return make_error(error_code::invalid_argument,
                    "Unexpected broker id, expected {} or empty string, but received {}", node_,
                    resource.name);
}

std::vector<std::string> config_service::list_configured(resource_type type) const {
  std::vector<std::string> names;
  for (const auto& [resource, values] : *outside_.controller.published()->configs) {
    const bool is_of_type = static_cast<int>(resource.type) == static_cast<int>(type);
    if (is_of_type && !values.empty()) names.push_back(resource.name);
  }
  return names;
}

result<std::vector<config_entry>> config_service::describe(const config_resource& resource) const {
  TRY_ASSIGN(const model::config_map set, current_values(resource));
  std::vector<config_entry> entries;
  if (resource.type == resource_type::topic) {
    const model::config_values effective = topic_values(resource.name);
    for (const auto& definition : model::topic_configs()) {
      if (is_internal(definition)) continue;
      auto synonyms = topic_synonyms(definition, set);
      if (definition.name == durability_name && has_fixed_durability(resource.name)) {
        synonyms.erase(synonyms.begin(), synonyms.end() - 1);
      }
      config_entry entry = make_entry(definition, std::move(synonyms));
      entry.value = effective.value(definition.name);  // in the topic config's unit
      entries.push_back(std::move(entry));
    }
  } else if (resource.type == resource_type::broker && resource.name.empty()) {
    for (const auto& [name, value] : set) {  // the cluster default: only what is set
      const auto* definition = model::find_broker_config(name);
      if (definition == nullptr) continue;
      entries.push_back(
          make_entry(*definition, {{name, value, config_source::dynamic_default_broker_config}}));
    }
  } else if (resource.type == resource_type::broker) {
    for (const auto& definition : model::broker_configs()) {
      config_entry entry = make_entry(definition, broker_synonyms(definition));
      entry.read_only = !is_dynamic(definition.name);
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

// What was set on the resource itself.
result<model::config_map> config_service::current_values(const config_resource& resource) const {
  const auto image = outside_.controller.published();
  switch (resource.type) {
    case resource_type::topic: {
      const auto topic = image->find_topic(resource.name);
      if (topic == nullptr) {
        return make_error(error_code::unknown_topic_or_partition, "The topic '{}' does not exist.",
                          resource.name);
      }
      model::config_map values = to_map(image->configs_of(topic_resource(resource.name)));
      values.merge(own_->of(own_configs::topic_scope(topic->id)));
      return values;
    }
    case resource_type::broker: {
      TRY(check_broker_name(resource));
      model::config_map values = to_map(image->configs_of(broker_resource(resource.name)));
      values.merge(own_->of(own_configs::broker_scope(resource.name)));
      return values;
    }
    default:
      return make_error(error_code::invalid_argument,
                        "resources of type {} have no configs here: topics, brokers, groups and "
                        "client metrics have",
                        static_cast<int>(resource.type));
  }
}

void config_service::alter(config_resource resource, std::vector<config_alteration> changes,
                           bool validate_only, reply<std::monostate> done) {
  const bool is_topic = resource.type == resource_type::topic;
  auto current = current_values(resource);
  if (!current.ok()) return done(std::move(current.failure()));

  const model::config_map before = *current;
  const model::config_values inherited =
      is_topic ? model::parse_topic_configs(*broker_values(), {}).value() : *broker_values();
  std::set<std::string> names;
  for (const config_alteration& change : changes) {
    const auto* definition =
        is_topic ? model::find_topic_config(change.name) : model::find_broker_config(change.name);
    names.insert(change.name);
    status applied;
    if (definition == nullptr) {
      applied = make_error(error_code::invalid_config, "Unknown {} config name: {}",
                           is_topic ? "topic" : "broker", change.name);
    } else {
      const bool is_list = definition->type == model::config_type::list;
      applied = apply(
          change,
          is_list ? std::optional<std::string_view>(inherited.text(change.name)) : std::nullopt,
          *current);
    }
    if (!applied.ok()) return done(std::move(applied.failure()));
  }
  status checked = is_topic ? check_topic_values(resource.name, *current)
                            : check_broker_values(changes, *current);
  if (!checked.ok()) return done(std::move(checked.failure()));
  if (validate_only) return done(std::monostate{});

  auto change = std::make_shared<alteration>();
  change->resource = is_topic ? topic_resource(resource.name) : broker_resource(resource.name);
  change->own_scope = scope_of(*outside_.controller.published(), resource);
  change->done = std::move(done);
  for (const std::string& name : names) {
    const auto value = current->find(name);
    if (value == current->end() && !before.contains(name)) continue;
    auto set = value == current->end() ? std::nullopt : std::optional(value->second);
    (own_configs::is_own(name) ? change->own : change->stored).emplace_back(name, std::move(set));
  }
  carry_out(std::move(change));
}

// Our own first: should the others fail, they are taken back.
void config_service::carry_out(std::shared_ptr<alteration> change) {
  if (change->own.empty() || in_memory_) return store(std::move(change), {});
  outside_.engine.post([this, change = std::move(change)]() mutable {
    auto undo = own_->change(change->own_scope, change->own);
    if (!undo.ok()) return change->done(std::move(undo.failure()));
    store(std::move(change), std::move(*undo));
  });
}

void config_service::store(std::shared_ptr<alteration> change, own_configs::changes undo) {
  if (change->stored.empty()) {
    if (!undo.empty()) own_changed();
    return change->done(std::monostate{});
  }
  outside_.controller.alter_configs(
      change->resource, std::move(change->stored),
      [this, change, undo = std::move(undo)](const status& altered) {
        if (altered.ok()) {
          if (!undo.empty()) own_changed();
          return change->done(std::monostate{});
        }
        if (undo.empty()) return change->done(altered.failure());
        outside_.engine.post([this, change, undo, failure = altered.failure()] {
          const auto undone = own_->change(change->own_scope, undo);
          if (!undone.ok()) {
            outside_.sink.log(log_level::error, "a config stays set: {}", undone.failure().message);
          }
          change->done(failure);
        });
      });
}

void config_service::own_changed() {
  refresh();
  if (own_listener_) own_listener_();
}

void config_service::forget_unknown_topics() {
  const auto image = outside_.controller.published();
  const status forgotten =
      own_->forget_topics_but([&](const uuid& id) { return image->find_topic(id) != nullptr; });
  if (forgotten.ok()) return;
  outside_.sink.log(log_level::warning, "configs of deleted topics are kept: {}",
                    forgotten.failure().message);
}

status config_service::check_own(std::string_view topic, const model::config_map& values) const {
  const auto found = values.find(durability_name);
  if (found == values.end() || in_memory_) return {};
  const std::string& value = found->second;
  if (value == "memory") {
    return make_error(error_code::invalid_config,
                      "Invalid value memory for configuration {}: only logs in memory (memory:) "
                      "have it, this one is on files: fsync or page_cache",
                      durability_name);
  }
  if (value == "fsync" || !has_fixed_durability(topic)) return {};
  return make_error(error_code::invalid_config,
                    "Invalid value {} for configuration {}: topic {} is internal, it is always "
                    "fsync",
                    value, durability_name, topic);
}

status config_service::check_topic_values(const std::string& topic,
                                          const model::config_map& values) const {
  TRY(model::parse_topic_configs(*broker_values(), values));
  TRY(check_own(topic, values));
  for (const std::string& warning : model::topic_config_warnings(values)) {
    outside_.sink.log(log_level::warning, "topic {}: {}", topic, warning);
  }
  return {};
}

status config_service::check_broker_values(const std::vector<config_alteration>& changes,
                                           const model::config_map& values) const {
  for (const config_alteration& change : changes) {
    if (!is_dynamic(change.name)) {
      return make_error(error_code::invalid_argument,
                        "Cannot update these configs dynamically: {}: it acts at the next start, "
                        "from server.properties",
                        change.name);
    }
  }
  TRY(model::parse_broker_configs(values));
  return check_own("", values);
}

storage::log_config to_log_config(const model::config_values& topic,
                                  const model::config_values& broker) {
  storage::log_config config;
  config.cleanup_delete = topic.list_has("cleanup.policy", "delete");
  config.cleanup_compact = topic.list_has("cleanup.policy", "compact");
  config.segment_bytes = topic.number("segment.bytes");
  config.segment_ms = topic.number("segment.ms");
  config.segment_jitter_ms = topic.number("segment.jitter.ms");
  config.segment_index_bytes = topic.number("segment.index.bytes");
  config.index_interval_bytes = topic.number("index.interval.bytes");
  config.retention_bytes = topic.number("retention.bytes");
  config.retention_ms = topic.number("retention.ms");
  config.file_delete_delay_ms = topic.number("file.delete.delay.ms");
  config.message_bytes_max = topic.number("max.message.bytes");
  config.message_timestamp_type = topic.text("message.timestamp.type") == "LogAppendTime"
                                      ? timestamp_type::log_append_time
                                      : timestamp_type::create_time;
  config.message_timestamp_before_ms_max = topic.number("message.timestamp.before.max.ms");
  config.message_timestamp_after_ms_max = topic.number("message.timestamp.after.max.ms");
  const std::string& compression = topic.text("compression.type");
  if (compression != "producer") {
    config.compression = codec::parse_compression_type(compression).value();
  }
  config.compression_gzip_level = static_cast<int>(topic.number("compression.gzip.level"));
  config.compression_lz4_level = static_cast<int>(topic.number("compression.lz4.level"));
  config.compression_zstd_level = static_cast<int>(topic.number("compression.zstd.level"));
  config.promise = topic.text(durability_name) == "page_cache" ? storage::durability::page_cache
                                                               : storage::durability::fsync;
  config.flush_messages = topic.number("flush.messages");
  config.flush_ms = topic.number("flush.ms");
  config.producer_id_expiration_ms = broker.number("producer.id.expiration.ms");
  return config;
}

}  // namespace ringlog::broker
