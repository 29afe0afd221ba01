#pragma once

#include "protocol/wire/api_list.h"
#include "server/call.h"

// One handler per API, each in the file of its name: it translates the request for the broker's
// core and the replies into the response. What the answers mean is Kafka's (KafkaApis and what it
// calls). A handler runs on its connection's thread and does not block, but for those that
// served_apis.cc runs aside.
namespace ringlog::server::handlers {

using alter_client_quotas_call =
    call_ptr<protocol::alter_client_quotas_request, protocol::alter_client_quotas_response>;
using alter_configs_call =
    call_ptr<protocol::alter_configs_request, protocol::alter_configs_response>;
using alter_partition_reassignments_call =
    call_ptr<protocol::alter_partition_reassignments_request,
             protocol::alter_partition_reassignments_response>;
using alter_replica_log_dirs_call =
    call_ptr<protocol::alter_replica_log_dirs_request, protocol::alter_replica_log_dirs_response>;
using api_versions_call = call_ptr<protocol::api_versions_request, protocol::api_versions_response>;
using consumer_group_describe_call =
    call_ptr<protocol::consumer_group_describe_request, protocol::consumer_group_describe_response>;
using consumer_group_heartbeat_call = call_ptr<protocol::consumer_group_heartbeat_request,
                                               protocol::consumer_group_heartbeat_response>;
using create_acls_call = call_ptr<protocol::create_acls_request, protocol::create_acls_response>;
using create_partitions_call =
    call_ptr<protocol::create_partitions_request, protocol::create_partitions_response>;
using create_topics_call =
    call_ptr<protocol::create_topics_request, protocol::create_topics_response>;
using delete_acls_call = call_ptr<protocol::delete_acls_request, protocol::delete_acls_response>;
using delete_groups_call =
    call_ptr<protocol::delete_groups_request, protocol::delete_groups_response>;
using delete_records_call =
    call_ptr<protocol::delete_records_request, protocol::delete_records_response>;
using delete_topics_call =
    call_ptr<protocol::delete_topics_request, protocol::delete_topics_response>;
using describe_acls_call =
    call_ptr<protocol::describe_acls_request, protocol::describe_acls_response>;
using describe_client_quotas_call =
    call_ptr<protocol::describe_client_quotas_request, protocol::describe_client_quotas_response>;
using describe_cluster_call =
    call_ptr<protocol::describe_cluster_request, protocol::describe_cluster_response>;
using describe_configs_call =
    call_ptr<protocol::describe_configs_request, protocol::describe_configs_response>;
using describe_groups_call =
    call_ptr<protocol::describe_groups_request, protocol::describe_groups_response>;
using describe_log_dirs_call =
    call_ptr<protocol::describe_log_dirs_request, protocol::describe_log_dirs_response>;
using describe_producers_call =
    call_ptr<protocol::describe_producers_request, protocol::describe_producers_response>;
using describe_quorum_call =
    call_ptr<protocol::describe_quorum_request, protocol::describe_quorum_response>;
using describe_topic_partitions_call = call_ptr<protocol::describe_topic_partitions_request,
                                                protocol::describe_topic_partitions_response>;
using elect_leaders_call =
    call_ptr<protocol::elect_leaders_request, protocol::elect_leaders_response>;
using fetch_call = call_ptr<protocol::fetch_request, protocol::fetch_response>;
using find_coordinator_call =
    call_ptr<protocol::find_coordinator_request, protocol::find_coordinator_response>;
using get_telemetry_subscriptions_call = call_ptr<protocol::get_telemetry_subscriptions_request,
                                                  protocol::get_telemetry_subscriptions_response>;
using heartbeat_call = call_ptr<protocol::heartbeat_request, protocol::heartbeat_response>;
using incremental_alter_configs_call = call_ptr<protocol::incremental_alter_configs_request,
                                                protocol::incremental_alter_configs_response>;
using init_producer_id_call =
    call_ptr<protocol::init_producer_id_request, protocol::init_producer_id_response>;
using join_group_call = call_ptr<protocol::join_group_request, protocol::join_group_response>;
using leave_group_call = call_ptr<protocol::leave_group_request, protocol::leave_group_response>;
using list_config_resources_call =
    call_ptr<protocol::list_config_resources_request, protocol::list_config_resources_response>;
using list_groups_call = call_ptr<protocol::list_groups_request, protocol::list_groups_response>;
using list_offsets_call = call_ptr<protocol::list_offsets_request, protocol::list_offsets_response>;
using list_partition_reassignments_call = call_ptr<protocol::list_partition_reassignments_request,
                                                   protocol::list_partition_reassignments_response>;
using metadata_call = call_ptr<protocol::metadata_request, protocol::metadata_response>;
using offset_commit_call =
    call_ptr<protocol::offset_commit_request, protocol::offset_commit_response>;
using offset_delete_call =
    call_ptr<protocol::offset_delete_request, protocol::offset_delete_response>;
using offset_fetch_call = call_ptr<protocol::offset_fetch_request, protocol::offset_fetch_response>;
using offset_for_leader_epoch_call =
    call_ptr<protocol::offset_for_leader_epoch_request, protocol::offset_for_leader_epoch_response>;
using produce_call = call_ptr<protocol::produce_request, protocol::produce_response>;
using push_telemetry_call =
    call_ptr<protocol::push_telemetry_request, protocol::push_telemetry_response>;
using sync_group_call = call_ptr<protocol::sync_group_request, protocol::sync_group_response>;
using update_features_call =
    call_ptr<protocol::update_features_request, protocol::update_features_response>;

void alter_client_quotas(alter_client_quotas_call call);
void alter_configs(alter_configs_call call);
void alter_partition_reassignments(alter_partition_reassignments_call call);
void alter_replica_log_dirs(alter_replica_log_dirs_call call);
void api_versions(api_versions_call call);
void create_acls(create_acls_call call);
void consumer_group_describe(consumer_group_describe_call call);
void consumer_group_heartbeat(consumer_group_heartbeat_call call);
void create_partitions(create_partitions_call call);
void create_topics(create_topics_call call);
void delete_acls(delete_acls_call call);
void delete_groups(delete_groups_call call);
void delete_records(delete_records_call call);
void delete_topics(delete_topics_call call);
void describe_acls(describe_acls_call call);
void describe_client_quotas(describe_client_quotas_call call);
void describe_cluster(describe_cluster_call call);
void describe_configs(describe_configs_call call);
void describe_groups(describe_groups_call call);
void describe_log_dirs(describe_log_dirs_call call);
void describe_producers(describe_producers_call call);
void describe_quorum(describe_quorum_call call);
void describe_topic_partitions(describe_topic_partitions_call call);
void elect_leaders(elect_leaders_call call);
void fetch(fetch_call call);
void find_coordinator(find_coordinator_call call);
void get_telemetry_subscriptions(get_telemetry_subscriptions_call call);
void heartbeat(heartbeat_call call);
void incremental_alter_configs(incremental_alter_configs_call call);
void init_producer_id(init_producer_id_call call);
void join_group(join_group_call call);
void leave_group(leave_group_call call);
void list_config_resources(list_config_resources_call call);
void list_groups(list_groups_call call);
void list_offsets(list_offsets_call call);
void list_partition_reassignments(list_partition_reassignments_call call);
void metadata(metadata_call call);
void offset_commit(offset_commit_call call);
void offset_delete(offset_delete_call call);
void offset_fetch(offset_fetch_call call);
void offset_for_leader_epoch(offset_for_leader_epoch_call call);
void produce(produce_call call);
// A partition must be opened first, or much is to be decompressed.
bool may_block(const produce_call& call);
void push_telemetry(push_telemetry_call call);
void sync_group(sync_group_call call);
void update_features(update_features_call call);

}  // namespace ringlog::server::handlers
