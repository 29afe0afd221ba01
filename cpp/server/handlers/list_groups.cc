#include "base/hash_map.h"
#include "base/letter_case.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

// Lets values pass that are among the given ones, in any case; without any, all.
class case_blind_filter {
 public:
  explicit case_blind_filter(const std::vector<std::string_view>& allowed) {
    for (const std::string_view one : allowed) allowed_.insert(lower_case(one));
  }

  bool passes(std::string_view value) const {
    return allowed_.empty() || allowed_.contains(lower_case(value));
  }

 private:
  hash_set<std::string> allowed_;
};

}  // namespace

void list_groups(list_groups_call call) {
  call->response.error_code = not_answered;
  call->core().list_groups([call](auto found) {
    call->response.error_code = code_of(found);
    if (!found.ok()) return;
    const case_blind_filter states(call->request.states_filter);
    const case_blind_filter types(call->request.types_filter);
    for (broker::listed_group& group : *found) {
      if (!states.passes(group.state) || !types.passes(group.type)) continue;
      call->response.groups.push_back({std::move(group.group),
                                       std::move(group.protocol_type),
                                       std::move(group.state),
                                       lower_case(group.type),
                                       {}});
    }
  });
}

}  // namespace ringlog::server::handlers
