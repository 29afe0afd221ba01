#include "client/remote/fetch_session.h"

#include <limits>

namespace ringlog::client::remote {

fetch_session::step fetch_session::next(const std::vector<broker::fetch_partition>& wanted) {
  if (!is_incremental_) return {0, -1, wanted, {}};
  step made{id_, epoch_, {}, {}};
  std::map<topic_partition, asked> now;
  for (const broker::fetch_partition& each : wanted) {
    const asked as{each.fetch_offset, each.bytes_max, each.current_leader_epoch};
    now[each.source] = as;
    const auto before = known_.find(each.source);
    const bool is_known = epoch_ > 0 && before != known_.end() && before->second == as;
    if (!is_known) made.added.push_back(each);
  }
  if (epoch_ > 0) {
    for (const auto& [source, as] : known_) {
      if (!now.contains(source)) made.forgotten.push_back(source);
    }
  }
  known_ = std::move(now);
  return made;
}

void fetch_session::answered(std::int32_t id) {
  if (!is_incremental_) return;
  id_ = id;
  if (id == 0) {  // the broker has no room for a session
    epoch_ = 0;
  } else {
    epoch_ = epoch_ == std::numeric_limits<std::int32_t>::max() ? 1 : epoch_ + 1;
  }
}

// With the id of the old one the broker closes it.
void fetch_session::reset() {
  epoch_ = 0;
  known_.clear();
}

}  // namespace ringlog::client::remote
