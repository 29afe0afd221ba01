#include "server/served_apis.h"

#include <algorithm>
#include <array>

#include "base/endian.h"
#include "server/client_connection.h"
#include "server/handlers/handlers.h"

namespace ringlog::server {
namespace {

struct served_api {
  const protocol::api_info* info;
  result<begun> (*begin)(call_origin origin);
};

// Where a handler runs: on the connection's thread when it neither blocks nor takes long, else
// aside; or as handlers::may_block() says of a request.
enum class runs { here, aside, by_request };

// What a request looks like whose version nobody knows: nothing of it is read.
template <typename Request>
result<Request> read_request(const protocol::request_frame& header, bool knows_version) {
  if (!knows_version) return Request();
  return protocol::decode_request<Request>(header);
}

template <runs where, typename Request, typename Response>
bool goes_aside(const call_ptr<Request, Response>& made) {
  if constexpr (where == runs::by_request) return handlers::may_block(made);
  return where == runs::aside;
}

template <runs where, typename Request, typename Response>
result<begun> begin_with(void (*handler)(call_ptr<Request, Response>), call_origin origin) {
  std::int16_t& version = origin.header.header.request_api_version;
  const protocol::api_info& api = *origin.header.api;
  const bool knows_version =
      api.has_version(version) && version <= offered_versions(api, *origin.shared).highest;
  if (!knows_version && api.key != protocol::api_versions_request::info.api_key) {
    return make_error(error_code::unsupported, "{} has no version {}", api.name, version);
  }
  TRY_ASSIGN(Request request, read_request<Request>(origin.header, knows_version));
  if (!knows_version) version = 0;
  const auto shared = origin.shared;
  const auto route = origin.route;
  const std::uint64_t number = origin.number;
  auto made = call<Request, Response>::make(std::move(origin), std::move(request));
  if constexpr (std::is_same_v<Request, protocol::api_versions_request>) {
    if (!knows_version)
      made->response.error_code = code_of(model::kafka_error::unsupported_version);
  }
  if (!goes_aside<where>(made)) {
    handler(std::move(made));
    return begun::here;
  }
  shared->engine.post_aside([handler, made = std::move(made), route, number]() mutable {
    handler(std::move(made));
    route->run([number](client_connection& mine) { mine.begun_aside(number); });
  });
  return begun::aside;
}

// From the type of its handler.
template <typename Request, typename Response>
constexpr std::int16_t key_of(void (*)(call_ptr<Request, Response>)) {
  return Request::info.api_key;
}

template <auto handler, runs where = runs::here>
served_api serve() {
  return {protocol::find_api(key_of(handler)),
          [](call_origin origin) { return begin_with<where>(handler, std::move(origin)); }};
}

// An API is served when it stands here.
const std::array table{
    serve<handlers::produce, runs::by_request>(),
    serve<handlers::fetch>(),
    serve<handlers::list_offsets, runs::aside>(),
    serve<handlers::metadata>(),
    serve<handlers::offset_commit>(),
    serve<handlers::offset_fetch>(),
    serve<handlers::find_coordinator>(),
    serve<handlers::join_group>(),
    serve<handlers::heartbeat>(),
    serve<handlers::leave_group>(),
    serve<handlers::sync_group>(),
    serve<handlers::describe_groups>(),
    serve<handlers::list_groups>(),
    serve<handlers::api_versions>(),
    serve<handlers::create_topics, runs::aside>(),
    serve<handlers::delete_topics, runs::aside>(),
    serve<handlers::delete_records, runs::aside>(),
    serve<handlers::init_producer_id>(),
    serve<handlers::offset_for_leader_epoch, runs::aside>(),
    serve<handlers::describe_acls>(),
    serve<handlers::create_acls>(),
    serve<handlers::delete_acls>(),
    serve<handlers::describe_configs>(),
    serve<handlers::alter_configs>(),
    serve<handlers::alter_replica_log_dirs>(),
    serve<handlers::describe_log_dirs>(),
    serve<handlers::create_partitions, runs::aside>(),
    serve<handlers::delete_groups>(),
    serve<handlers::elect_leaders>(),
    serve<handlers::incremental_alter_configs>(),
    serve<handlers::alter_partition_reassignments>(),
    serve<handlers::list_partition_reassignments>(),
    serve<handlers::offset_delete>(),
    serve<handlers::describe_client_quotas>(),
    serve<handlers::alter_client_quotas>(),
    serve<handlers::describe_quorum>(),
    serve<handlers::update_features>(),
    serve<handlers::describe_cluster>(),
    serve<handlers::describe_producers, runs::aside>(),
    serve<handlers::consumer_group_heartbeat>(),
    serve<handlers::consumer_group_describe>(),
    serve<handlers::get_telemetry_subscriptions>(),
    serve<handlers::push_telemetry, runs::aside>(),
    serve<handlers::list_config_resources>(),
    serve<handlers::describe_topic_partitions>(),
};

const auto infos = [] {
  std::array<const protocol::api_info*, table.size()> all{};
  std::ranges::transform(table, all.begin(), &served_api::info);
  CHECK(std::ranges::is_sorted(all, {}, &protocol::api_info::key), "served APIs are out of order");
  return all;
}();

}  // namespace

std::span<const protocol::api_info* const> served_apis() { return infos; }

version_range offered_versions(const protocol::api_info& api, const shared_state& shared) {
  const bool is_telemetry =
      api.key == protocol::get_telemetry_subscriptions_request::info.api_key ||
      api.key == protocol::push_telemetry_request::info.api_key;
  if (!is_telemetry) return {api.lowest_advertised_version, api.highest_advertised_version};
  if (!shared.telemetry.is_on()) return {};
  return {api.lowest_version, api.highest_version};
}

result<begun> begin_call(call_origin origin) {
  const std::int16_t key = origin.header.api->key;
  const auto found = std::ranges::find(table, key, [](const auto& api) { return api.info->key; });
  if (found == table.end()) {
    return make_error(error_code::unsupported, "{} is not served", origin.header.api->name);
  }
  return found->begin(std::move(origin));
}

bool is_produce_frame(bytes_view frame) {
  return frame.size() >= 2 &&
         load_be<std::int16_t>(frame.data()) == protocol::produce_request::info.api_key;
}

}  // namespace ringlog::server
