#include <algorithm>
#include <cctype>

#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Without a filter everything passes.
bool passes(const std::vector<std::string_view>& filter, const std::string& value) {
  return filter.empty() || std::ranges::any_of(filter, [&](std::string_view allowed) {
           return lower(std::string(allowed)) == lower(value);
         });
}

}  // namespace

void list_groups(list_groups_call call) {
  call->response.error_code = not_answered;
  call->core().list_groups([call](auto found) {
    call->response.error_code = code_of(found);
    if (!found.ok()) return;
    for (broker::listed_group& group : *found) {
      const bool is_wanted = passes(call->request.states_filter, group.state) &&
                             passes(call->request.types_filter, group.type);
      if (!is_wanted) continue;
      call->response.groups.push_back({std::move(group.group),
                                       std::move(group.protocol_type),
                                       std::move(group.state),
                                       lower(std::move(group.type)),
                                       {}});
    }
  });
}

}  // namespace ringlog::server::handlers
