#include "base/hash_map.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using asked_resource = protocol::describe_configs_request::resource;
using answered_config = protocol::describe_configs_response::config;
using answered_resource = protocol::describe_configs_response::resource_result;

answered_config translate(const describe_configs_call& call, const broker::config_entry& entry) {
  answered_config shown;
  shown.name = entry.name;
  shown.value = entry.value;
  shown.read_only = entry.read_only;
  shown.config_source = static_cast<std::int8_t>(entry.source);
  shown.is_sensitive = entry.sensitive;
  if (call->version() >= 3) shown.config_type = entry.type;
  shown.documentation.reset();
  if (call->request.include_documentation) shown.documentation = entry.documentation;
  if (!call->request.include_synonyms) return shown;
  for (const broker::config_synonym& synonym : entry.synonyms) {
    shown.synonyms.push_back(
        {synonym.name, synonym.value, static_cast<std::int8_t>(synonym.source), {}});
  }
  return shown;
}

std::size_t size_of(const answered_config& shown) {
  std::size_t size = sizeof(shown) + shown.name.size();
  if (shown.value) size += shown.value->size();
  if (shown.documentation) size += shown.documentation->size();
  for (const auto& synonym : shown.synonyms) {
    size += sizeof(synonym) + synonym.name.size() + synonym.value.value_or("").size();
  }
  return size;
}

status describe(const describe_configs_call& call, const asked_resource& asked,
                answered_resource& target) {
  const broker::config_resource resource = name_resource(asked, target);
  if (!call->has_room_for(0)) return no_room_to_show();
  TRY_ASSIGN(const auto entries, call->core().describe_configs(resource));
  hash_set<std::string_view> keys;
  if (asked.configuration_keys) {
    keys.insert(asked.configuration_keys->begin(), asked.configuration_keys->end());
  }
  for (const broker::config_entry& entry : entries) {
    const bool is_wanted = keys.empty() || keys.contains(entry.name);
    if (!is_wanted) continue;
    target.configs.push_back(translate(call, entry));
    if (call->has_room_for(size_of(target.configs.back()))) continue;
    target.configs.clear();
    return no_room_to_show();
  }
  return {};
}

}  // namespace

void describe_configs(describe_configs_call call) {
  pair_up(call->request.resources, call->response.results, [&](const auto& asked, auto& target) {
    const status described = describe(call, asked, target);
    target.error_code = code_of(described);
    target.error_message = message_of(described).value_or("");  // Kafka has no null here
  });
}

}  // namespace ringlog::server::handlers
