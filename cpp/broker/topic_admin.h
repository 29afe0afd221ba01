#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/config_service.h"
#include "broker/partition_table.h"
#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Topics: found, made, deleted, grown, through the metadata controller, after Kafka's checks with
// Kafka's sentences (Kafka: ReplicationControlManager, AutoTopicCreationManager). Any thread.
class topic_admin : public std::enable_shared_from_this<topic_admin> {
 public:
  topic_admin(broker_services outside, node_id_t node, config_service& configs,
              partition_table& partitions);

  std::optional<topic_description> find(std::string_view name) const;
  std::optional<topic_description> find(const uuid& id) const;
  std::vector<topic_description> list() const;

  // The topic; made when it is missing and either internal or auto.create.topics.enable allows it.
  // Callers that wait for the same topic are answered in the order of their calls.
  void ensure(std::string name, reply<topic_description> done);

  void create(new_topic topic, bool validate_only, reply<created_topic> done);

  // Answered when its directories are out of the way, so that the name can be used again.
  void remove(const std::string& name, reply<uuid> done);

  void create_partitions(const std::string& name, std::int32_t count, bool validate_only,
                         reply<std::int32_t> done);

 private:
  status check_size(const new_topic& topic) const;
  status check_name(const std::string& name) const;
  result<std::int32_t> partition_count_of(const new_topic& topic) const;
  status check_replication(const new_topic& topic) const;
  new_topic defaults_of(const std::string& name) const;
  void make_missing(const std::string& name);
  void answer_ensures(const std::string& name, const result<topic_description>& answer);
  void create_checked(new_topic topic, std::int32_t partitions, reply<created_topic> done);
  void create_stored(metadata::new_topic made, std::vector<std::string> warnings,
                     reply<created_topic> done);
  void forget_own(const std::string& scope);
  void delete_logs(const metadata::topic_ptr& topic, reply<uuid> done);
  // Runs `action` when no deletion of that name is under way.
  void after_deletion(const std::string& name, task action);
  void deletion_ended(const std::string& name);

  const broker_services outside_;
  const node_id_t node_;
  config_service& configs_;
  partition_table& partitions_;
  std::mutex mutex_;                                                      // guards what follows
  std::map<std::string, std::vector<reply<topic_description>>> ensures_;  // by the missing topic
  std::map<std::string, std::vector<task>> deletions_;  // under way: who waits for their end
};

topic_description describe(const metadata::topic_state& topic);

}  // namespace ringlog::broker
