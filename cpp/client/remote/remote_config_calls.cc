// Configs of topics, brokers and groups.

#include "base/parse.h"
#include "client/remote/remote_service.h"
#include "protocol/wire/config/describe_configs.h"
#include "protocol/wire/config/incremental_alter_configs.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;
using config_entries = std::vector<broker::config_entry>;

// What belongs to one broker is asked of that one.
route route_to(const broker::config_resource& resource) {
  const bool of_broker = resource.type == broker::resource_type::broker ||
                         resource.type == broker::resource_type::broker_logger;
  const auto id = parse_integer<std::int32_t>(resource.name);
  return of_broker && id ? route::to_node(node_id_t(*id)) : route::any();
}

broker::config_entry to_entry(const describe_configs_response::config& from) {
  broker::config_entry entry;
  entry.name = from.name;
  entry.value = from.value;
  entry.read_only = from.read_only;
  entry.sensitive = from.is_sensitive;
  entry.source = static_cast<broker::config_source>(from.config_source);
  entry.type = from.config_type;
  entry.documentation = from.documentation.value_or("");
  for (const auto& synonym : from.synonyms) {
    entry.synonyms.push_back(
        {synonym.name, synonym.value, static_cast<broker::config_source>(synonym.source)});
  }
  return entry;
}

}  // namespace

void remote_service::look_up_configs(broker::config_resource resource, reply<config_entries> done) {
  call_plan<describe_configs_request, describe_configs_response, config_entries> plan;
  plan.by = route_to(resource);
  plan.what = "DescribeConfigs of " + resource.name;
  plan.fill = [resource](describe_configs_request& out, std::int16_t version) {
    auto& wanted = out.resources.emplace_back();
    wanted.resource_type = static_cast<std::int8_t>(resource.type);
    wanted.resource_name = resource.name;
    wanted.configuration_keys.reset();
    out.include_synonyms = true;
    if (version >= 3) out.include_documentation = true;
  };
  plan.take = [](describe_configs_response& answer, const wire_answer&) -> result<config_entries> {
    if (answer.results.size() != 1) {
      return error{error_code::internal, "the broker's answer lacks what was asked for"};
    }
    const auto& found = answer.results.front();
    TRY(check_code(found.error_code, found.error_message));
    config_entries entries;
    for (const auto& config : found.configs) entries.push_back(to_entry(config));
    return entries;
  };
  call(std::move(plan), std::move(done));
}

void remote_service::alter_configs(broker::config_resource resource,
                                   std::vector<broker::config_alteration> changes,
                                   bool validate_only, reply<std::monostate> done) {
  call_plan<incremental_alter_configs_request, incremental_alter_configs_response, std::monostate>
      plan;
  plan.by = route_to(resource);
  plan.what = "IncrementalAlterConfigs of " + resource.name;
  plan.fill = [resource, changes = std::move(changes), validate_only](
                  incremental_alter_configs_request& out, std::int16_t) {
    auto& wanted = out.resources.emplace_back();
    wanted.resource_type = static_cast<std::int8_t>(resource.type);
    wanted.resource_name = resource.name;
    out.validate_only = validate_only;
    for (const broker::config_alteration& change : changes) {
      auto& config = wanted.configs.emplace_back();
      config.name = change.name;
      config.config_operation = static_cast<std::int8_t>(change.operation);
      if (change.value) {
        config.value = *change.value;
      } else {
        config.value.reset();
      }
    }
  };
  plan.take = [](incremental_alter_configs_response& answer,
                 const wire_answer&) -> result<std::monostate> {
    for (const auto& each : answer.responses) TRY(check_code(each.error_code, each.error_message));
    return std::monostate{};
  };
  call(std::move(plan), std::move(done));
}

}  // namespace ringlog::client::remote
