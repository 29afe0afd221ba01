#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/services.h"
#include "broker/types.h"
#include "storage/log_config.h"

namespace ringlog::broker {

// Effective configs: what metadata says over what the node was started with over Kafka's defaults;
// shown with their sources and changed incrementally (KIP-226, KIP-339; Kafka: ConfigHelper,
// ConfigAdminManager). Any thread.
class config_service {
 public:
  // error_code::invalid_config when a static setting is wrong; unknown names are logged and left
  // out, as Kafka does.
  static result<std::unique_ptr<config_service>> make(broker_services outside,
                                                      const broker_options& options);

  // Of this broker now. Immutable.
  std::shared_ptr<const model::config_values> broker_values() const;

  // Of a topic now. Stored values that this version cannot read are logged and left out.
  model::config_values topic_values(std::string_view topic) const;
  storage::log_config log_config_of(std::string_view topic) const;

  // Takes over broker configs that metadata has changed.
  void refresh();

  // Called on the engine's thread after a config of our own has changed, before the answer.
  void set_own_listener(std::function<void()> listener) { own_listener_ = std::move(listener); }

  // Whether these configs of our own may be set on a topic, by its name.
  status check_own(std::string_view topic, const model::config_map& values) const;

  own_configs& own() { return *own_; }
  bool is_in_memory() const { return in_memory_; }

  // Forgets the own configs of topics that metadata does not know.
  void forget_unknown_topics();

  result<std::vector<config_entry>> describe(const config_resource& resource) const;

  // Names of the resources of that type that have configs of their own, topics excepted.
  std::vector<std::string> list_configured(resource_type type) const;

  void alter(config_resource resource, std::vector<config_alteration> changes, bool validate_only,
             reply<std::monostate> done);

 private:
  config_service(broker_services outside, const broker_options& options);

  // Where broker configs come from, highest precedence first.
  struct broker_layer {
    config_source source;
    const model::config_map values;
  };
  std::vector<broker_layer> broker_layers() const;
  std::vector<config_synonym> broker_synonyms(const model::config_definition& definition) const;
  std::vector<config_synonym> topic_synonyms(const model::config_definition& definition,
                                             const model::config_map& set) const;

  // A change of one resource, checked.
  struct alteration {
    metadata::config_resource resource;
    std::vector<metadata::config_change> stored;  // in metadata
    std::string own_scope;
    own_configs::changes own;
    reply<std::monostate> done;
  };
  void carry_out(std::shared_ptr<alteration> change);
  void store(std::shared_ptr<alteration> change, own_configs::changes undo);
  void own_changed();
  bool has_fixed_durability(std::string_view topic) const;

  status check_broker_name(const config_resource& resource) const;
  result<model::config_map> current_values(const config_resource& resource) const;
  status check_topic_values(const std::string& topic, const model::config_map& values) const;
  status check_broker_values(const std::vector<config_alteration>& changes,
                             const model::config_map& values) const;

  const broker_services outside_;
  const node_id_t node_;
  const model::config_map static_configs_;
  const bool in_memory_;
  const std::shared_ptr<own_configs> own_;
  std::function<void()> own_listener_;
  mutable std::mutex mutex_;
  std::shared_ptr<const model::config_values> broker_values_;
};

storage::log_config to_log_config(const model::config_values& topic,
                                  const model::config_values& broker);

}  // namespace ringlog::broker
