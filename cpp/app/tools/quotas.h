#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/tools/tool.h"

// Client quotas in the words of kafka-configs, for `ringlog quotas` and `ringlog configs`.
namespace ringlog::app {

// Whose configs are meant, and what becomes of them.
struct entity_arguments : tool_arguments {
  bool describe = false;
  bool alter = false;
  std::vector<std::string> types;
  std::vector<std::optional<std::string>> names;  // one for each type, in order; none: the default
  std::optional<std::string> user, client, ip;    // the short forms
  bool user_defaults = false, client_defaults = false, ip_defaults = false;
  std::vector<std::string> add;
  std::vector<std::string> remove;
};

void declare_entity_options(CLI::App& command, entity_arguments& given);

// They speak of users, clients or addresses.
bool is_about_quotas(const entity_arguments& given);

// Describes or alters quotas. `given` may name nobody where everybody's are to be described.
status run_quotas(const entity_arguments& given, cluster& target, const tool_context& to);

}  // namespace ringlog::app
