#include "base/hash_map.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_config = protocol::describe_configs_response::config;

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

}  // namespace

void describe_configs(describe_configs_call call) {
  pair_up(call->request.resources, call->response.results, [&](const auto& asked, auto& target) {
    const auto entries = call->core().describe_configs(name_resource(asked, target));
    target.error_code = code_of(entries);
    target.error_message = message_of(entries).value_or("");  // Kafka has no null here
    if (!entries.ok()) return;
    hash_set<std::string_view> keys;
    if (asked.configuration_keys) {
      keys.insert(asked.configuration_keys->begin(), asked.configuration_keys->end());
    }
    for (const broker::config_entry& entry : *entries) {
      const bool is_wanted = keys.empty() || keys.contains(entry.name);
      if (is_wanted) target.configs.push_back(translate(call, entry));
    }
  });
}

}  // namespace ringlog::server::handlers
